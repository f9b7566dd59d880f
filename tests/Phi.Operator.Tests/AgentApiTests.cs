using System.Net;
using System.Text.Json.Nodes;
using CsCheck;
using Phi.Api.Agent;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>The agent API over HTTP, with requests that no agent sends.</summary>
public sealed class AgentApiTests(TestCluster cluster) : IClassFixture<TestCluster>, IAsyncLifetime
{
    private AgentApiBed _bed = null!;
    private AgentPod _pod = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Uid => _pod.Job.Metadata.Uid!;

    public async ValueTask InitializeAsync()
    {
        _bed = await AgentApiBed.StartAsync(cluster);
        _pod = await _bed.PodAsync("job");
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Theory]
    [InlineData("steps", """[{"rank":-1,"step":1,"time":"2026-01-01T00:00:00Z","metrics":{"loss":1}}]""", "steps[0].rank: -1: must be from 0 to 1000000; send what was counted")]
    [InlineData("steps", """[{"rank":0,"step":1,"time":"0001-01-01T00:00:00Z","metrics":{"loss":1}}]""", "steps[0].time: 0001-01-01T00:00:00.0000000+00:00: must be from 1970 to 9998; set the machine's clock")]
    [InlineData("steps", """[{"rank":0,"step":1,"time":"2026-01-01T00:00:00Z","metrics":{"a\u0000b":1}}]""", "steps[0].metrics: 'a?b': must have 1 to 200 characters, none of them a control character; give it another name")]
    [InlineData("steps", "[null]", "steps[0]: null: must be an object; leave it out")]
    [InlineData("checkpoints", """[{"step":1,"time":"2026-01-01T00:00:00Z","uri":"file:///c","seconds":"NaN"}]""", "checkpoints[0].seconds: NaN: must be a number from 0; send what was measured")]
    [InlineData("marks", """[{"time":"2026-01-01T00:00:00Z"}]""", "marks[0].name: '': must have 1 to 200 characters, none of them a control character; give it another name")]
    [InlineData("marks", """[{"name":"","time":"2026-01-01T00:00:00Z"}]""", "marks[0].name: '': must have 1 to 200 characters, none of them a control character; give it another name")]
    public async Task Events_ThatCannotBe_Are422AndSayTheRule(string field, string value, string message)
    {
        var response = await PostAsync(AgentRoutes.Events, $$"""{"namespace":"default","job":"job","jobUid":"{{Uid}}","attempt":1,"{{field}}":{{value}}}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.Code);
        Assert.Equal(message, response.Answer);
    }

    [Fact]
    public async Task Events_ThatCanBe_AreStored()
    {
        var response = await PostAsync(
            AgentRoutes.Events,
            $$$"""{"namespace":"default","job":"job","jobUid":"{{{Uid}}}","attempt":1,"steps":[{"rank":0,"step":1,"time":"2026-01-01T00:00:00Z","metrics":{"loss":"NaN"}}],"marks":[{"name":"Joined","time":"2026-01-01T00:00:00Z"}]}""");

        Assert.Equal(HttpStatusCode.OK, response.Code);
        Assert.Equal(double.NaN, Assert.Single(await _bed.Store.PointsAsync(Uid, "loss", 0, Ct)).Value);
        Assert.Equal("Joined", Assert.Single((await _bed.Store.StoryAsync(Uid, Ct)).Marks).Name);
    }

    [Fact]
    public async Task Events_OfTwoAttempts_AreInTheLedger()
    {
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            var response = await PostAsync(
                AgentRoutes.Events,
                $$$"""{"namespace":"default","job":"job","jobUid":"{{{Uid}}}","attempt":{{{attempt}}},"steps":[{"rank":0,"step":4,"time":"2026-01-01T00:0{{{attempt}}}:00Z","metrics":{"step_seconds":2,"loss":1.5}}],"missed":[{"step":4,"time":"2026-01-01T00:0{{{attempt}}}:01Z","reason":"NoTime","message":"m","stallSeconds":0.5}]}""");
            Assert.Equal(HttpStatusCode.OK, response.Code);
        }

        await _bed.Progress.FlushAsync(new ResourceKey("default", "job"), Ct);

        var rows = await _bed.Store.Goodput.ReadAsync(Uid, Ct);
        Assert.Equal([(1, 0, 2, 0.5), (2, 2, 0, 0.5)], rows.Select(row => (row.Attempt, row.ProductiveSeconds, row.LostSeconds, row.MissedStallSeconds)));
    }

    [Fact]
    public async Task Heartbeat_WithARankThatIsNull_IsRefused()
    {
        var body = new JsonObject { ["namespace"] = "default", ["job"] = "job", ["jobUid"] = Uid, ["attempt"] = 1, ["pod"] = "job-0", ["podUid"] = _pod.Pod.Metadata.Uid, ["replicaIndex"] = 0, ["ranks"] = new JsonArray { null } };

        Assert.Equal((HttpStatusCode.UnprocessableEntity, "ranks[0]: null: must be an object; leave it out"), await PostAsync(AgentRoutes.Heartbeat, body.ToJsonString()));
    }

    [Fact]
    public Task Requests_OfAnyShape_AreAnswersOr4xx()
    {
        string[] routes = [AgentRoutes.Assignment, AgentRoutes.Heartbeat, AgentRoutes.Events, AgentRoutes.Progress];
        string[] names = ["namespace", "job", "jobUid", "pod", "podUid", "podIp", "replicaIndex", "attempt", "ranks", "steps", "checkpoints", "missed", "skipped", "marks", "rank", "step", "time", "metrics", "state", "uri", "name", "leaving", "notice"];
        var leaf = Gen.OneOf<JsonNode?>(
            Gen.Const(default(JsonNode)), Gen.Int.Select(value => (JsonNode?)value), Gen.Long.Select(value => (JsonNode?)value), Gen.Bool.Select(value => (JsonNode?)value),
            Gen.Const((JsonNode?)Uid), Gen.Const((JsonNode?)"2026-01-01T00:00:00Z"), Gen.Const((JsonNode?)"NaN"), Gen.String[0, 12].Select(text => (JsonNode?)new string([.. text.Where(letter => !char.IsSurrogate(letter))])));
        var objects = Gen.Recursive<JsonNode?>((depth, inner) => depth > 3
            ? leaf
            : Gen.OneOf(
                leaf,
                inner.List[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])),
                Gen.Select(Gen.Int[0, names.Length - 1], inner).List[0, 8].Select(pairs => (JsonNode?)new JsonObject(pairs.DistinctBy(pair => pair.Item1).Select(pair => KeyValuePair.Create(names[pair.Item1], pair.Item2?.DeepClone()))))));
        return Gen.Select(Gen.Int[0, routes.Length - 1], Gen.Select(Gen.Int[0, names.Length - 1], objects).List[0, 10]).SampleAsync(
            async (route, pairs) =>
            {
                // What would be refused before anything else is looked at is there.
                var body = new JsonObject { ["namespace"] = "default", ["job"] = "job", ["jobUid"] = Uid, ["attempt"] = 1, ["pod"] = "job-0", ["podUid"] = _pod.Pod.Metadata.Uid, ["podIp"] = "127.0.0.1", ["replicaIndex"] = 0, ["ranks"] = new JsonArray() };
                foreach (var (name, value) in pairs)
                {
                    body[names[name]] = value?.DeepClone();
                }

                var response = await PostAsync(routes[route], body.ToJsonString());
                Assert.True((int)response.Code is >= 200 and < 300 or >= 400 and < 500, $"{routes[route]} {body.ToJsonString()}: {(int)response.Code} {response.Answer}");
            },
            iter: 1000, threads: 1);
    }

    private Task<(HttpStatusCode Code, string Answer)> PostAsync(string route, string json) => _bed.PostAsync(route, _pod.Token, json);
}

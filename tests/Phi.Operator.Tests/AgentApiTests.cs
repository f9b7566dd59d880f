using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Agent;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Events;
using Phi.Operator.Leader;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Progress;
using Phi.Operator.Tests.Cluster;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>The agent API over HTTP, with requests that no agent sends.</summary>
public sealed class AgentApiTests(TestCluster cluster) : IClassFixture<TestCluster>, IAsyncLifetime
{
    private const string Uid = "11111111-2222-3333-4444-555555555555";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi agent api ").FullName;
    private readonly OperatorMetrics _metrics = new();
    private readonly LeaderForwarder _forwarder = new(() => null, "test");
    private readonly HttpClient _http = new();
    private TelemetryStore? _store;
    private AgentHub? _hub;
    private ProgressTracker? _progress;
    private AgentApiServer? _server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, Ct);
        var cache = new ClusterCache(cluster.Connection, TimeProvider.System, NullLoggerFactory.Instance);
        var events = new EventRecorder(new EventWriter(cluster.Connection, "test"), _metrics, TimeProvider.System, NullLogger.Instance);
        (_hub, _progress) = (new AgentHub(cache, TimeProvider.System), new ProgressTracker(cluster.Connection, cache, _store, events, _metrics, TimeProvider.System, NullLogger.Instance));
        var tokens = AgentTokens.LoadOrCreate(_folder);
        var listener = AgentApiServer.Listen(IPAddress.Loopback, 0, _folder);
        _server = await AgentApiServer.StartAsync(
            listener, new AgentApiParts { Hub = _hub, Tokens = tokens, Progress = _progress, Leadership = Leadership.Permanent(TimeProvider.System), Forwarder = _forwarder, Metrics = _metrics, Urls = () => null, OnNews = _ => { } }, Ct);
        _http.BaseAddress = new UriBuilder("http", "127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port).Uri;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.For(Uid));
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _http.Dispose();
        _forwarder.Dispose();
        _hub!.Dispose();
        _progress!.Dispose();
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

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
        using var response = await PostAsync(AgentRoutes.Events, $$"""{"namespace":"default","job":"job","jobUid":"{{Uid}}","attempt":1,"{{field}}":{{value}}}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(message, await response.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Events_ThatCanBe_AreStored()
    {
        using var response = await PostAsync(
            AgentRoutes.Events,
            $$$"""{"namespace":"default","job":"job","jobUid":"{{{Uid}}}","attempt":1,"steps":[{"rank":0,"step":1,"time":"2026-01-01T00:00:00Z","metrics":{"loss":"NaN"}}],"marks":[{"name":"Joined","time":"2026-01-01T00:00:00Z"}]}""");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(double.NaN, Assert.Single(await _store!.PointsAsync(Uid, "loss", 0, Ct)).Value);
        Assert.Equal("Joined", Assert.Single((await _store.StoryAsync(Uid, Ct)).Marks).Name);
    }

    [Fact]
    public async Task Events_OfAJobThatIsGone_AreInTheLedger()
    {
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            using var response = await PostAsync(
                AgentRoutes.Events,
                $$$"""{"namespace":"default","job":"job","jobUid":"{{{Uid}}}","attempt":{{{attempt}}},"steps":[{"rank":0,"step":4,"time":"2026-01-01T00:0{{{attempt}}}:00Z","metrics":{"step_seconds":2,"loss":1.5}}],"missed":[{"step":4,"time":"2026-01-01T00:0{{{attempt}}}:01Z","reason":"NoTime","message":"m","stallSeconds":0.5}]}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await _progress!.FlushAsync(new ResourceKey("default", "job"), Ct);

        var rows = await _store!.Goodput.ReadAsync(Uid, Ct);
        Assert.Equal([(1, 0, 2, 0.5), (2, 2, 0, 0.5)], rows.Select(row => (row.Attempt, row.ProductiveSeconds, row.LostSeconds, row.MissedStallSeconds)));
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
                var body = new JsonObject { ["namespace"] = "default", ["job"] = "job", ["jobUid"] = Uid, ["attempt"] = 1, ["pod"] = "p", ["podUid"] = "u", ["podIp"] = "127.0.0.1", ["replicaIndex"] = 0, ["ranks"] = new JsonArray() };
                foreach (var (name, value) in pairs)
                {
                    body[names[name]] = value?.DeepClone();
                }

                using var response = await PostAsync(routes[route], body.ToJsonString());
                Assert.True((int)response.StatusCode is >= 200 and < 300 or >= 400 and < 500, $"{routes[route]} {body.ToJsonString()}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
            },
            iter: 1000, threads: 1);
    }

    private async Task<HttpResponseMessage> PostAsync(string route, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await _http.PostAsync(route, content, Ct);
    }
}

using System.Net;
using System.Text.Json.Nodes;

namespace Phi.Dashboard.Tests.Api;

/// <summary><c>GET /api/v1/runs…</c> and the API's description over HTTP.</summary>
public sealed class RunApiTests(ApiServer server)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", 1)]
    [InlineData("?namespace=default&job=job", 1)]
    [InlineData("?namespace=another", 0)]
    public async Task Runs_AreThoseOfTheNamespaceAndJob(string query, int count) => Assert.Equal(count, (await JsonAsync("/api/v1/runs" + query)).AsArray().Count);

    [Fact]
    public async Task Run_HasItsAttemptsAndMetrics()
    {
        var run = await JsonAsync($"/api/v1/runs/{ApiServer.Run}");

        Assert.Equal($$"""{"run":"{{ApiServer.Run}}","namespace":"default","job":"job"}""", run["summary"]!.ToJsonString());
        Assert.Equal("""[{"attempt":1,"firstStep":1},{"attempt":2,"firstStep":81}]""", run["attempts"]!.ToJsonString());
        Assert.Equal("""[{"metric":"loss","ranks":[0,1]},{"metric":"step_seconds","ranks":[0,1]},{"metric":"tokens","ranks":[0,1]}]""", run["metrics"]!.ToJsonString());
        Assert.Equal(80, (int?)(await JsonAsync($"/api/v1/runs/{ApiServer.Run}/checkpoints"))[0]!["step"]);
    }

    [Fact]
    public async Task Goodput_HasARowOfEachAttempt()
    {
        var attempts = await JsonAsync($"/api/v1/runs/{ApiServer.Run}/goodput");

        Assert.Equal("""{"attempt":1,"steps":100,"firstStep":1,"lastStep":100}""", Of("attempt", "steps", "firstStep", "lastStep"));
        Assert.Equal("""{"start":"1970-01-01T00:16:40.5+00:00","end":"1970-01-01T00:18:20+00:00"}""", Of("start", "end").Replace("\\u002B", "+", StringComparison.Ordinal));
        Assert.Equal("""{"productiveSeconds":40,"lostSeconds":10,"lostFromStep":81,"tokens":1000,"firstLoss":1,"loss":"NaN","missedStallSeconds":0}""", Of("productiveSeconds", "lostSeconds", "lostFromStep", "tokens", "firstLoss", "loss", "missedStallSeconds"));

        string Of(params string[] names) => new JsonObject(names.Select(name => KeyValuePair.Create(name, attempts[0]![name]?.DeepClone()))).ToJsonString();
    }

    [Theory]
    [InlineData("/api/v1/runs/nobody")]
    [InlineData("/api/v1/runs/nobody/checkpoints")]
    [InlineData("/api/v1/runs/nobody/goodput")]
    [InlineData("/api/v1/runs/nobody/traffic")]
    public async Task Run_ThatIsNotThere_Is404AndSaysWhereToLook(string path)
    {
        using var response = await server.Client.GetAsync(path, Ct);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("nothing of this kind is stored of a run 'nobody'; give the uid of a job that has trained (GET /api/v1/runs lists them)", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["detail"]);
    }

    [Theory]
    [InlineData("/api/v1/runs/a%00b")]
    [InlineData("/api/v1/runs?namespace=%07")]
    public async Task Run_OfANameThatCannotBe_Is400(string path)
    {
        using var response = await server.Client.GetAsync(path, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/logs/default/..%2F..%2Fsecrets", HttpStatusCode.BadRequest, "must be names of Kubernetes")]
    [InlineData("/api/v1/logs/default/pod?container=a%3Fb", HttpStatusCode.BadRequest, "must be names of Kubernetes")]
    [InlineData("/api/v1/logs/default/pod?tail=-1", HttpStatusCode.BadRequest, "tail must be a whole number from 0 to 100000")]
    [InlineData("/api/v1/logs/default/pod?follow=maybe", HttpStatusCode.BadRequest, "follow must be true or false")]
    [InlineData("/api/v1/logs/default/pod", HttpStatusCode.BadGateway, "the Kubernetes API does not answer")]
    public async Task Logs_ThatCannotBeRead_SayWhy(string path, HttpStatusCode code, string part)
    {
        using var response = await server.Client.GetAsync(path, Ct);

        Assert.Equal(code, response.StatusCode);
        Assert.Contains(part, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenApi_DescribesEveryRouteAndParameter()
    {
        var paths = (await JsonAsync("/openapi/v1.json"))["paths"]!.AsObject();

        Assert.Equal(["/api/v1/logs/{namespace}/{pod}", "/api/v1/runs", "/api/v1/runs/{run}", "/api/v1/runs/{run}/checkpoints", "/api/v1/runs/{run}/goodput", "/api/v1/runs/{run}/traffic", "/api/v1/series"], paths.Select(path => path.Key).Order(StringComparer.Ordinal));
        Assert.Equal(["run", "metric", "rank", "axis", "from", "to", "buckets", "format"], paths["/api/v1/series"]!["get"]!["parameters"]!.AsArray().Select(parameter => (string?)parameter!["name"]));
        Assert.All(paths.SelectMany(path => path.Value!["get"]!["parameters"]?.AsArray() ?? []), parameter => Assert.False(string.IsNullOrEmpty((string?)parameter!["description"])));
    }

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await server.Client.GetStringAsync(path, Ct))!;
}

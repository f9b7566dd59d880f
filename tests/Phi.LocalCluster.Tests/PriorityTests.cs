using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>Priority classes, and what they make of a pod.</summary>
public sealed class PriorityTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string MergePatch = "application/merge-patch+json";

    [Fact]
    public async Task Pod_OfAClass_GetsItsNumberAndPolicy()
    {
        await server.SendAsync(HttpMethod.Post, Classes, """{"metadata": {"name": "gentle"}, "value": 77, "preemptionPolicy": "Never"}""");

        var (_, pod) = await PodAsync("of-class", "\"priorityClassName\": \"gentle\"");
        var (_, critical) = await PodAsync("critical", "\"priorityClassName\": \"system-node-critical\"");

        Assert.Equal((77, "Never"), ((int)pod["spec"]!["priority"]!, (string?)pod["spec"]!["preemptionPolicy"]));
        Assert.Equal(2_000_001_000, (int)critical["spec"]!["priority"]!);
    }

    [Fact]
    public async Task Pod_WithoutAClass_GetsTheDefaultOne()
    {
        var (_, before) = await PodAsync("before", "\"restartPolicy\": \"Never\"");
        await server.SendAsync(HttpMethod.Post, Classes, """{"metadata": {"name": "usual"}, "value": 5, "globalDefault": true}""");
        var (second, refusal) = await server.SendAsync(HttpMethod.Post, Classes, """{"metadata": {"name": "other"}, "value": 6, "globalDefault": true}""");

        var (_, after) = await PodAsync("after", "\"restartPolicy\": \"Never\"");
        await server.SendAsync(HttpMethod.Delete, $"{Classes}/usual");

        Assert.Equal((0, "PreemptLowerPriority"), ((int)before["spec"]!["priority"]!, (string?)before["spec"]!["preemptionPolicy"]));
        Assert.Equal((5, "usual"), ((int)after["spec"]!["priority"]!, (string?)after["spec"]!["priorityClassName"]));
        Assert.Equal(403, second);
        Assert.Contains("PriorityClass usual is already marked as default. Only one default can exist", (string?)refusal["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"priorityClassName\": \"nobody\"", "pods \"refused\" is forbidden: no PriorityClass with name nobody was found")]
    [InlineData("\"priority\": 9", "pods \"refused\" is forbidden: the integer value of priority (9) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name")]
    public async Task Pod_ThatItsClassContradicts_IsForbidden(string field, string expected)
    {
        var (code, status) = await PodAsync("refused", field);

        Assert.Equal((403, expected), (code, (string?)status["message"]));
    }

    [Fact]
    public async Task Class_ValueNeverChanges()
    {
        await server.SendAsync(HttpMethod.Post, Classes, """{"metadata": {"name": "fixed"}, "value": 1}""");

        var (code, status) = await server.SendAsync(HttpMethod.Patch, $"{Classes}/fixed", """{"value": 2}""", MergePatch);

        Assert.Equal((422, "PriorityClass.scheduling.k8s.io \"fixed\" is invalid: value: Forbidden: may not be changed in an update."), (code, (string?)status["message"]));
    }

    [Theory]
    [InlineData("system-mine", 5)]
    [InlineData("too-high", 1_000_000_001)]
    public async Task Class_OfTheSystemsRange_IsRefused(string name, int value) =>
        Assert.Equal(422, (await server.SendAsync(HttpMethod.Post, Classes, $$$"""{"metadata": {"name": "{{{name}}}"}, "value": {{{value}}} }""")).Code);

    private Task<(int Code, JsonObject Body)> PodAsync(string name, string field) =>
        server.SendAsync(HttpMethod.Post, Pods, $$$"""{"metadata": {"name": "{{{name}}}"}, "spec": { {{{field}}}, "containers": [{"name": "c", "image": "i"}]}}""");
}

using System.Text.Json.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>batch/v1 Jobs, whose pods are processes of a node.</summary>
public sealed class BatchJobTests(NodeFixture node) : IClassFixture<NodeFixture>
{
    [Fact]
    public async Task Job_WhoseProgramSucceeds_IsComplete()
    {
        await node.ApplyAsync(Job("good", "exit 0"));

        var status = await WaitAsync("good", "complete");

        Assert.Equal((1, 0, null), ((int)status["succeeded"]!, (int)status["active"]!, (int?)status["failed"]));
        Assert.NotNull(status["completionTime"]);
        var pod = Assert.Single(await PodsAsync("good"))!;
        Assert.Equal(("Job", "good", null), ((string?)pod["metadata"]!["ownerReferences"]![0]!["kind"], (string?)pod["metadata"]!["labels"]!["job-name"], pod["metadata"]!["finalizers"]));
    }

    [Fact]
    public async Task Job_WhoseProgramFails_HasFailedAfterItsBackoffLimit()
    {
        await node.ApplyAsync(Job("bad", "exit 3", "backoffLimit: 0"));

        var status = await WaitAsync("bad", "failed");

        Assert.Equal((1, null), ((int)status["failed"]!, (int?)status["succeeded"]));
        Assert.Equal(["FailureTarget", "Failed"], status["conditions"]!.AsArray().Select(condition => (string)condition!["type"]!));
        Assert.All(status["conditions"]!.AsArray(), condition => Assert.Equal("BackoffLimitExceeded", (string?)condition!["reason"]));
        Assert.Single(await PodsAsync("bad"));
    }

    /// <summary>The second pod comes after a pause; what the first one left tells it apart.</summary>
    [Fact]
    public async Task Job_WhoseFirstPodFails_GetsAnother()
    {
        var mark = Path.Combine(node.Server.Folder, "tried");
        await node.ApplyAsync(Job("retried", $"test -e '{mark}' || {{ touch '{mark}'; exit 1; }}", "backoffLimit: 1"));

        var status = await WaitAsync("retried", "complete");

        Assert.Equal((1, 1), ((int)status["succeeded"]!, (int)status["failed"]!));
        Assert.Equal(2, (await PodsAsync("retried")).Count);
    }

    [Fact]
    public async Task Job_WhosePodIsDeletedWhileItRuns_CountsItAndMakesAnother()
    {
        var mark = Path.Combine(node.Server.Folder, "first");
        await node.ApplyAsync(Job("lost", $"test -e '{mark}' || {{ touch '{mark}'; exec sleep 3600; }}"));
        await NodeFixture.UntilAsync(() => Task.FromResult(File.Exists(mark)));

        var deleted = await node.Server.KubectlAsync("", "delete", "pod", "-l", "job-name=lost", "--grace-period=1");

        Assert.True(deleted.Code == 0, deleted.Error);
        Assert.Equal((1, 1), (await WaitAsync("lost", "complete")) is var status ? ((int)status["succeeded"]!, (int)status["failed"]!) : default);
    }

    [Fact]
    public async Task Job_OverItsDeadline_FailsAndItsPodEnds()
    {
        await node.ApplyAsync(Job("late", "exec sleep 3600", "activeDeadlineSeconds: 1"));

        var status = await WaitAsync("late", "failed");

        Assert.Contains(status["conditions"]!.AsArray(), condition => (string?)condition!["type"] == "Failed" && (string?)condition["reason"] == "DeadlineExceeded");
        await NodeFixture.UntilAsync(async () => (await PodsAsync("late")).Count == 0);
    }

    [Fact]
    public async Task Job_AfterItsTimeToLive_GoesWithItsPod()
    {
        await node.ApplyAsync(Job("brief", "exit 0", "ttlSecondsAfterFinished: 0"));

        await NodeFixture.UntilAsync(async () => (await node.Server.SendAsync(HttpMethod.Get, "/apis/batch/v1/namespaces/default/jobs/brief")).Code == 404);
        await NodeFixture.UntilAsync(async () => (await PodsAsync("brief")).Count == 0);
    }

    [Fact]
    public async Task Job_ThatIsDeleted_TakesItsPodAlong()
    {
        await node.ApplyAsync(Job("gone", "exec sleep 3600"));
        await NodeFixture.UntilAsync(async () => (await PodsAsync("gone")) is [var pod] && (string?)pod["status"]?["phase"] == "Running");

        await node.Server.KubectlAsync("", "delete", "job", "gone", "--wait=true");

        await NodeFixture.UntilAsync(async () => (await PodsAsync("gone")).Count == 0);
    }

    [Theory]
    [InlineData("completions: 2", "spec.completions")]
    [InlineData("parallelism: 3", "spec.parallelism")]
    [InlineData("completionMode: Indexed", "spec.completionMode")]
    [InlineData("suspend: true", "spec.suspend")]
    [InlineData("backoffLimit: -1", "spec.backoffLimit")]
    public async Task Job_ThatThisControlPlaneCannotRun_IsRefused(string field, string named)
    {
        var refused = await node.Server.KubectlAsync(Job("refused", "exit 0", field), "apply", "-f", "-");

        Assert.Equal(1, refused.Code);
        Assert.Contains(named, refused.Error, StringComparison.Ordinal);
    }

    private async Task<JsonObject> WaitAsync(string job, string condition)
    {
        var result = await node.Server.KubectlAsync("", "wait", $"job/{job}", $"--for=condition={condition}", "--timeout=60s");
        Assert.True(result.Code == 0, result.Error + (await node.Server.KubectlAsync("", "get", "job,pods", "-o", "yaml")).Output);
        return (await node.Server.SendAsync(HttpMethod.Get, $"/apis/batch/v1/namespaces/default/jobs/{job}")).Body["status"]!.AsObject();
    }

    private async Task<IReadOnlyList<JsonObject>> PodsAsync(string job) =>
        [.. (await node.Server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/default/pods?labelSelector=batch.kubernetes.io/job-name={job}")).Body["items"]!.AsArray().Select(pod => pod!.AsObject())];

    private static string Job(string name, string script, string field = "backoffLimit: 6") => $$"""
        apiVersion: batch/v1
        kind: Job
        metadata: {name: {{name}}}
        spec:
          {{field}}
          template:
            spec:
              restartPolicy: Never
              containers:
                - name: main
                  image: none
                  command: [bash, -c, "{{script}}"]
        """;
}

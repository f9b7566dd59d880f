using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>Init containers, sidecars, variables, and every way in which a pod ends.</summary>
public sealed class PodLifecycleTests(NodeFixture node) : IClassFixture<NodeFixture>
{
    private const string Forever = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    private const string Deaf = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

    [Fact]
    public async Task InitContainers_InOrder_RunBeforeTheContainer()
    {
        await node.ApplyAsync(Pod("initialised", "cat /phi-test/shared/said", init: [("first", "echo first >> /phi-test/shared/said", null), ("second", "echo second >> /phi-test/shared/said", null)]));

        var status = (await node.WaitAsync("initialised", "jsonpath={.status.phase}=Succeeded"))["status"]!;

        Assert.Equal("first\nsecond\n", await node.LogAsync("initialised"));
        Assert.Equal([0, 0], status["initContainerStatuses"]!.AsArray().Select(container => (int)container!["state"]!["terminated"]!["exitCode"]!));
    }

    [Fact]
    public async Task InitContainer_ThatFails_FailsThePodBeforeTheContainer()
    {
        await node.ApplyAsync(Pod("uninitialised", "true", init: [("only", "echo why; exit 7", null)]));

        var status = (await node.WaitAsync("uninitialised", "jsonpath={.status.phase}=Failed"))["status"]!;

        Assert.Equal((7, "why"), ((int)status["initContainerStatuses"]![0]!["state"]!["terminated"]!["exitCode"]!, (string)status["initContainerStatuses"]![0]!["state"]!["terminated"]!["message"]!));
        Assert.NotNull(status["containerStatuses"]![0]!["state"]!["waiting"]);
        Assert.Equal("False", Condition(status, "Initialized")["status"]!.ToString());
    }

    [Fact]
    public async Task Sidecar_BesideTheContainer_EndsAfterItWithoutCounting()
    {
        const string Sidecar = "trap 'echo ended >> /phi-test/shared/said; exit 3' TERM; echo up > /phi-test/shared/up; while :; do sleep 0.05; done";
        var file = Path.Combine(node.Server.Folder, "sidecar");
        await node.ApplyAsync(Pod("sided", $"until [ -e /phi-test/shared/up ]; do sleep 0.05; done; ln -s \"{file}\" /phi-test/shared/said; echo main > \"{file}\"", init: [("beside", Sidecar, "Always")]));

        var status = (await node.WaitAsync("sided", "jsonpath={.status.phase}=Succeeded"))["status"]!;

        Assert.Equal("main\nended\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal(3, (int)status["initContainerStatuses"]![0]!["state"]!["terminated"]!["exitCode"]!);
    }

    [Fact]
    public async Task StartupProbe_OfASidecar_HoldsTheContainersBackUntilItSucceeds()
    {
        const string Sidecar = "trap 'exit 0' TERM; echo sidecar > /phi-test/shared/said; while :; do sleep 0.05; done";
        var pod = JsonNode.Parse(Pod("probed", "cat /phi-test/shared/said; ls /phi-test/shared", init: [("beside", Sidecar, "Always")]))!;

        // Fails once, so that the second try is the one that counts.
        pod["spec"]!["initContainers"]![0]!["startupProbe"] = JsonNode.Parse("""{"exec": {"command": ["bash", "-c", "[[ -e /phi-test/shared/tried && -e /phi-test/shared/said ]] || { echo > /phi-test/shared/tried; exit 1; }"]}, "periodSeconds": 1, "failureThreshold": 100}""");
        await node.ApplyAsync(pod.ToJsonString());

        await node.WaitAsync("probed", "jsonpath={.status.phase}=Succeeded");

        Assert.Equal("sidecar\nsaid\ntried\n", (await node.Server.KubectlAsync("", "logs", "probed", "-c", "main")).Output);
    }

    [Fact]
    public async Task Variables_OfEverySource_AreResolvedInOrder()
    {
        await node.Server.KubectlAsync("", "create", "configmap", "variables", "--from-literal=A=a", "--from-literal=B=b");
        await node.Server.KubectlAsync("", "create", "secret", "generic", "variables", "--from-literal=C=c");
        await node.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: { name: variables, annotations: { note: kept } }
            spec:
              restartPolicy: Never
              containers:
              - name: main
                image: none
                command: [bash, -c, 'echo $FROM_A $B_ONLY $SECRET $JOINED "$0" $CPU $MEMORY $NOTE ${ABSENT-absent} "$1"', $(B_ONLY)]
                args: [$$(B_ONLY)]
                envFrom: [{ prefix: FROM_, configMapRef: { name: variables } }, { configMapRef: { name: nowhere, optional: true } }]
                env:
                - { name: B_ONLY, valueFrom: { configMapKeyRef: { name: variables, key: B } } }
                - { name: SECRET, valueFrom: { secretKeyRef: { name: variables, key: C } } }
                - { name: ABSENT, valueFrom: { secretKeyRef: { name: variables, key: D, optional: true } } }
                - { name: JOINED, value: "$(B_ONLY)-$(SECRET)-$(UNKNOWN)-$$(SECRET)" }
                - { name: CPU, valueFrom: { resourceFieldRef: { resource: requests.cpu } } }
                - { name: MEMORY, valueFrom: { resourceFieldRef: { resource: limits.memory, divisor: 1Mi } } }
                - { name: NOTE, valueFrom: { fieldRef: { fieldPath: "metadata.annotations['note']" } } }
                resources: { limits: { cpu: 1500m, memory: 64Mi } }
            """);

        await node.WaitAsync("variables", "jsonpath={.status.phase}=Succeeded");

        Assert.Equal("a b c b-c-$(UNKNOWN)-$(SECRET) b 2 64 kept absent $(B_ONLY)\n", await node.LogAsync("variables"));
    }

    /// <summary>What a variable refers to may be created after the pod, as with a kubelet; meanwhile the containers before it run.</summary>
    [Fact]
    public async Task Variable_OfASecretThatComesLater_StartsTheContainerThen()
    {
        await node.ApplyAsync(Waiting("early-env"));
        var waiting = (await node.WaitAsync("early-env", "jsonpath={.status.containerStatuses[1].state.waiting.reason}=CreateContainerConfigError"))["status"]!;
        await node.Server.KubectlAsync("", "create", "secret", "generic", "early-env", "--from-literal=key=came");

        await node.WaitAsync("early-env", "jsonpath={.status.phase}=Succeeded");

        Assert.Equal(("Pending", "secret \"early-env\" not found"), ((string?)waiting["phase"], (string?)waiting["containerStatuses"]![1]!["state"]!["waiting"]!["message"]));
        Assert.NotNull(waiting["containerStatuses"]![0]!["state"]!["running"]);
        Assert.Equal("came\n", await node.LogAsync("early-env"));
    }

    [Fact]
    public async Task Deletion_OfAPodThatCannotStartYet_EndsItsContainersAndIt()
    {
        await node.ApplyAsync(Waiting("never-env"));
        await node.WaitAsync("never-env", "jsonpath={.status.containerStatuses[1].state.waiting.reason}=CreateContainerConfigError");
        var file = Path.Combine(node.Server.Folder, "never-env");
        await NodeFixture.UntilAsync(() => Task.FromResult(File.Exists(file) && new FileInfo(file).Length > 0));

        var deleted = await node.Server.KubectlAsync("", "delete", "pod", "never-env", "--timeout=60s");

        Assert.True(deleted.Code == 0, deleted.Error);
        var first = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Trim();
        Assert.False(Directory.Exists($"/proc/{first}"), first);
    }

    /// <summary>Its second container needs the Secret of the pod's name, and its first runs until the second did.</summary>
    private string Waiting(string name)
    {
        var file = Path.Combine(node.Server.Folder, name);
        return $$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{name}} }
            spec:
              restartPolicy: Never
              containers:
              - { name: first, image: none, command: [bash, -c, {{JsonSerializer.Serialize($"echo $$$$ > '{file}'; until [ -e '{file}.done' ]; do sleep 0.05; done")}}] }
              - { name: main, image: none, command: [bash, -c, {{JsonSerializer.Serialize($"echo $CAME; touch '{file}.done'")}}], env: [{ name: CAME, valueFrom: { secretKeyRef: { name: {{name}}, key: key } } }] }
            """;
    }

    [Fact]
    public async Task Pod_ThatIsToBeStartedAgain_FailsAndSaysWhatThisNodeRuns()
    {
        await node.ApplyAsync(Pod("again", "true").Replace("\"Never\"", "\"Always\"", StringComparison.Ordinal));

        var status = (await node.WaitAsync("again", "jsonpath={.status.phase}=Failed"))["status"]!;

        Assert.Equal("UnsupportedRestartPolicy", (string?)status["reason"]);
        Assert.Contains("restartPolicy Always: this node runs pods with restartPolicy Never alone", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ActiveDeadline_Passed_FailsThePodWithinItsGrace()
    {
        await node.ApplyAsync(Pod("late", Forever, deadline: 1));

        var status = (await node.WaitAsync("late", "jsonpath={.status.phase}=Failed"))["status"]!;

        Assert.Equal(("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), ((string)status["reason"]!, (string)status["message"]!));
        Assert.Equal(0, (int)status["containerStatuses"]![0]!["state"]!["terminated"]!["exitCode"]!);
        Assert.Equal(0, (await node.Server.KubectlAsync("", "delete", "pod", "late", "--timeout=30s")).Code);
    }

    [Fact]
    public async Task Deletion_WithAShorterGraceThanBefore_EndsTheWait()
    {
        await node.ApplyAsync(Pod("deaf", Deaf, grace: 100_000));
        await NodeFixture.UntilAsync(async () => await node.LogAsync("deaf") == "ready\n");
        await node.Server.KubectlAsync("", "delete", "pod", "deaf", "--wait=false");

        var deleted = await node.Server.KubectlAsync("", "delete", "pod", "deaf", "--grace-period=1", "--timeout=60s");

        Assert.True(deleted.Code == 0, deleted.Error);
    }

    [Fact]
    public async Task Deletion_Forced_KillsWithoutAsking()
    {
        await node.ApplyAsync(Pod("forced", Deaf));
        await NodeFixture.UntilAsync(async () => await node.LogAsync("forced") == "ready\n");
        var process = (await File.ReadAllLinesAsync(Directory.GetFiles(Path.Combine(node.Server.Folder, "node", "pods", (string)(await node.WaitAsync("forced", "condition=Ready"))["metadata"]!["uid"]!), "processes").Single(), TestContext.Current.CancellationToken))[0].Split(' ')[0];

        await node.Server.KubectlAsync("", "delete", "pod", "forced", "--grace-period=0", "--force");

        await NodeFixture.UntilAsync(() => Task.FromResult(!Directory.Exists($"/proc/{process}")));
    }

    [Fact]
    public async Task Eviction_OfAPodThatStays_KeepsItsDisruptionTargetOverTheNodesWrites()
    {
        await node.ApplyAsync(Pod("evicted", Forever, finalizer: "example.com/hold"));
        await NodeFixture.UntilAsync(async () => await node.LogAsync("evicted") == "ready\n");

        var (code, _) = await node.Server.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/pods/evicted/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"evicted","namespace":"default"}}""");
        var status = (await node.WaitAsync("evicted", "jsonpath={.status.phase}=Succeeded"))["status"]!;

        Assert.Equal(201, code);
        Assert.Equal("EvictionByEvictionAPI", (string?)Condition(status, "DisruptionTarget")["reason"]);
        await node.Server.KubectlAsync("", "patch", "pod", "evicted", "--type=merge", "-p", """{"metadata":{"finalizers":null}}""");
    }

    private static JsonNode Condition(JsonNode status, string type) => status["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == type)!;

    private static string Pod(string name, string script, (string Name, string Script, string? RestartPolicy)[]? init = null, long? deadline = null, long grace = 30, string? finalizer = null) => new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["finalizers"] = finalizer is null ? null : new JsonArray(finalizer) },
        ["spec"] = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["activeDeadlineSeconds"] = deadline,
            ["terminationGracePeriodSeconds"] = grace,
            ["volumes"] = new JsonArray(new JsonObject { ["name"] = "shared", ["emptyDir"] = new JsonObject() }),
            ["initContainers"] = new JsonArray([.. (init ?? []).Select(one => Container(one.Name, one.Script, true, one.RestartPolicy))]),
            ["containers"] = new JsonArray(Container("main", script, init is not null, null)),
        },
    }.ToJsonString();

    private static JsonObject Container(string name, string script, bool isMounted, string? restartPolicy) => new()
    {
        ["name"] = name,
        ["image"] = "none",
        ["command"] = new JsonArray("bash", "-c", script),
        ["volumeMounts"] = isMounted ? new JsonArray(new JsonObject { ["name"] = "shared", ["mountPath"] = "/phi-test/shared" }) : null,
        ["restartPolicy"] = restartPolicy,
    };
}

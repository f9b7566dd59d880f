using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Phi.LocalCluster.ApiServer.NodeHealth;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>What the server does about nodes that are lost, by a clock that the test moves.</summary>
public sealed class NodeLifecycleTests : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(40);
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(55));
    private readonly string _folder = Directory.CreateTempSubdirectory("phi nodes ").FullName;
    private readonly ObjectStore _store;
    private readonly ResourceService _service;
    private readonly NodeLifecycle _lifecycle;
    private readonly ResourceType _leases;

    public NodeLifecycleTests()
    {
        _store = new ObjectStore(_folder);
        _service = new ResourceService(_store, new ResourceCatalog(), _clock);
        _lifecycle = new NodeLifecycle(_service, _clock, Grace);
        _leases = _service.Catalog.Find("coordination.k8s.io", "v1", "leases")!;
        foreach (var name in new[] { "default", "kube-node-lease" })
        {
            Create(BuiltInResources.Namespaces, "", $$$"""{"metadata": {"name": "{{{name}}}"}}""");
        }

        Create(BuiltInResources.Nodes, "", """{"metadata": {"name": "n"}, "spec": {"taints": [{"key": "own", "effect": "NoSchedule"}]}, "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}""");
        Create(_leases, "kube-node-lease", """{"metadata": {"name": "n"}, "spec": {"renewTime": "2025-01-01T00:00:00.000000Z"}}""");
        _lifecycle.Pass();
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Node_ThatRenewsItsLease_StaysReady()
    {
        foreach (var second in Enumerable.Range(1, 12))
        {
            Renew(second);
            Advance(10);
        }

        Assert.Equal(("True", "own:NoSchedule"), (Ready(), TaintsOf()));
    }

    [Fact]
    public void Node_ThatStopsRenewing_BecomesUnknownAndTainted()
    {
        Advance(39);
        Assert.Equal("True", Ready());

        Advance(1);

        Assert.Equal(("Unknown", "NodeStatusUnknown"), (Ready(), (string?)Condition()["reason"]));
        Assert.Equal("own:NoSchedule,node.kubernetes.io/unreachable:NoSchedule,node.kubernetes.io/unreachable:NoExecute", TaintsOf());
    }

    [Fact]
    public void Node_ThatRenewsAgain_IsReadyAndUntainted()
    {
        Advance(41);
        Renew(1);

        _lifecycle.Pass();

        Assert.Equal(("True", "own:NoSchedule"), (Ready(), TaintsOf()));
    }

    [Fact]
    public void Node_ThatIsLost_StaysLostOverARestartOfTheServer()
    {
        Advance(41);

        new NodeLifecycle(_service, _clock, Grace).Pass();

        Assert.Equal("Unknown", Ready());
    }

    [Fact]
    public void Node_ThatSaysNotReadyAndIsCordoned_HasBothTaints()
    {
        _store.TryChange(BuiltInResources.Nodes, new ObjectKey("", "n"), node =>
        {
            node["spec"]!["unschedulable"] = true;
            node["status"]!["conditions"]![0]!["status"] = "False";
        });

        _lifecycle.Pass();

        Assert.Equal("own:NoSchedule,node.kubernetes.io/not-ready:NoSchedule,node.kubernetes.io/not-ready:NoExecute,node.kubernetes.io/unschedulable:NoSchedule", TaintsOf());
    }

    [Fact]
    public void Pod_GetsTheDefaultTolerations_UnlessItHasItsOwn()
    {
        Pod("plain");
        Pod("own", """[{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]""");
        Pod("all", """[{"operator": "Exists"}]""");

        Assert.Equal("node.kubernetes.io/not-ready:300,node.kubernetes.io/unreachable:300", Tolerations("plain"));
        Assert.Equal("node.kubernetes.io/unreachable:5,node.kubernetes.io/not-ready:300", Tolerations("own"));
        Assert.Equal(":", Tolerations("all"));
    }

    [Fact]
    public void Pod_OnALostNode_IsDeletedAfterItsTolerationSeconds()
    {
        Pod("patient");
        Pod("tolerant", """[{"operator": "Exists"}]""");
        Pod("brief", """[{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]""");
        Advance(40);
        Assert.Equal((false, false), (IsEnding("patient"), IsEnding("brief")));

        var next = Advance(5);

        Assert.Equal((false, true), (IsEnding("patient"), IsEnding("brief")));
        Assert.Equal(TimeSpan.FromSeconds(295), next);
        Assert.Equal("DeletionByTaintManager", Disruption("brief"));
        Advance(295);
        Assert.Equal((true, false), (IsEnding("patient"), IsEnding("tolerant")));
    }

    [Fact]
    public void Pod_OnANodeThatComesBack_HasItsWholeTimeAgain()
    {
        Pod("pod");
        Advance(40);
        Advance(299);
        Renew(1);
        _lifecycle.Pass();

        Advance(41);
        Advance(2);

        Assert.False(IsEnding("pod"));
    }

    [Fact]
    public void Pod_WithoutAToleration_IsDeletedAtOnce()
    {
        Pod("pod");
        _store.TryChange(BuiltInResources.Nodes, new ObjectKey("", "n"), node => node["spec"]!["taints"]!.AsArray().Add((JsonNode)new JsonObject { ["key"] = "broken", ["value"] = "yes", ["effect"] = "NoExecute" }));

        _lifecycle.Pass();

        Assert.True(IsEnding("pod"));
    }

    [Fact]
    public void Pod_OfADeletedNode_IsCollectedAfterTheQuarantine()
    {
        Pod("orphan");
        var deleted = _store.Subscribe("pods", _store.Version)!;
        _service.Delete(BuiltInResources.Nodes, new ObjectKey("", "n"), new DeleteOptions());
        _lifecycle.Pass();
        Advance(39);
        Assert.False(IsEnding("orphan"));

        Advance(1);

        Assert.Null(_store.Get("pods", new ObjectKey("default", "orphan")));
        var changes = new List<StoreEvent>();
        while (deleted.Events.TryRead(out var change))
        {
            changes.Add(change);
        }

        Assert.Equal("Failed", (string?)changes[^1].Object["status"]!["phase"]);
        Assert.Equal("DeletionByPodGC", (string?)changes[^1].Object["status"]!["conditions"]![0]!["reason"]);
        deleted.Dispose();
    }

    private TimeSpan? Advance(int seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        return _lifecycle.Pass();
    }

    private void Renew(int second) =>
        _store.TryChange(_leases, new ObjectKey("kube-node-lease", "n"), lease => lease["spec"]!["renewTime"] = $"2025-01-01T00:00:{second:00}.000000Z");

    private void Pod(string name, string tolerations = "[]") =>
        Create(BuiltInResources.Pods, "default", $$$"""{"metadata": {"name": "{{{name}}}"}, "spec": {"nodeName": "n", "tolerations": {{{tolerations}}}, "containers": [{"name": "c", "image": "i"}]}}""");

    private void Create(ResourceType type, string @namespace, string text) => _service.Create(type, @namespace, JsonNode.Parse(text)!.AsObject(), WriteOptions.Server);

    private JsonNode Condition() => Get(BuiltInResources.Nodes, "n")["status"]!["conditions"]!.AsArray().Single(one => (string?)one!["type"] == "Ready")!;

    private string? Ready() => (string?)Condition()["status"];

    private string TaintsOf() => string.Join(',', Get(BuiltInResources.Nodes, "n")["spec"]!["taints"]!.AsArray().Select(taint => $"{taint!["key"]}:{taint["effect"]}"));

    private string Tolerations(string pod) => string.Join(',', Get(BuiltInResources.Pods, pod)["spec"]!["tolerations"]!.AsArray().Select(one => $"{one!["key"]}:{one["tolerationSeconds"]}"));

    private bool IsEnding(string pod) => Get(BuiltInResources.Pods, pod)["metadata"]!["deletionTimestamp"] is not null;

    private string? Disruption(string pod) => (string?)Get(BuiltInResources.Pods, pod)["status"]!["conditions"]!.AsArray().Single(one => (string?)one!["type"] == "DisruptionTarget")!["reason"];

    private JsonObject Get(ResourceType type, string name) => _service.Get(type, new ObjectKey(type.Namespaced ? "default" : "", name));
}

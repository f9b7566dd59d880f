using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Operator.Observe;

namespace Phi.Operator.Tests;

/// <summary>What the operator did to pods counts before the informer shows it.</summary>
public sealed class PodIndexTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly PodIndex _index = new(new FakeTimeProvider(Now));

    [Fact]
    public void Leave_PodThatTheInformerShowsAsItWas_IsBeingDeletedUntilItIsGone()
    {
        _index.Confirm(Pod("first", version: 5));

        _index.Leave(new ResourceKey("default", "job-0"), "first", gracePeriodSeconds: 20);
        var atOnce = Deadline();
        // A change from before the deletion, which the watch brings late.
        _index.Confirm(Pod("first", version: 6));
        var late = Deadline();
        _index.Remove(Pod("first", version: 7));
        var gone = _index.Of("uid").Count;
        _index.Confirm(Pod("second", version: 8));

        Assert.Equal((Now.AddSeconds(20).UtcDateTime, Now.AddSeconds(20).UtcDateTime, 0), (atOnce, late, gone));
        Assert.Null(Deadline());
    }

    [Fact]
    public void Leave_AnotherPodOfThatName_ChangesNothing()
    {
        _index.Confirm(Pod("second", version: 8));

        _index.Leave(new ResourceKey("default", "job-0"), "first", gracePeriodSeconds: null);

        Assert.Null(Deadline());
    }

    private DateTime? Deadline() => Assert.Single(_index.Of("uid")).Metadata.DeletionTimestamp;

    private static V1Pod Pod(string uid, int version) => new()
    {
        Metadata = new V1ObjectMeta { Name = "job-0", NamespaceProperty = "default", Uid = uid, ResourceVersion = $"{version}", Labels = new Dictionary<string, string> { [PhiNames.JobUidLabel] = "uid" } },
        Spec = new V1PodSpec { Containers = [] },
    };
}

using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests;

/// <summary>A job that begins with another job's checkpoint: it waits for it without quota or pods, or learns that none will come.</summary>
public sealed class InitializationTests
{
    private const string Uri = "file:///checkpoints/default/source-1/step-00000300";

    public static TheoryData<string, SourceSnapshot?, long?> Waiting => new()
    {
        { "SourceNotFound", null, null },
        { "SourceHasNoCheckpoint", new SourceSnapshot(TrainingPhase.Running, false, false, null, null), null },
        { "SourceHasNoCheckpoint", new SourceSnapshot(TrainingPhase.Running, false, false, 300, Uri), 400 },
    };

    public static TheoryData<string, SourceSnapshot, long?> Hopeless => new()
    {
        { "job source is Failed and has committed no checkpoint; name another job", new SourceSnapshot(TrainingPhase.Failed, true, false, null, null), null },
        { "has committed no checkpoint of step 400 (the newest is of step 300); name another job in spec.phi.initialize.from.job, or another step", new SourceSnapshot(TrainingPhase.Succeeded, true, false, 300, Uri), 400 },
        { "job source runs a program of its own", new SourceSnapshot(TrainingPhase.Running, false, true, 300, Uri), null },
    };

    [Theory]
    [MemberData(nameof(Waiting))]
    public void Decide_NoCheckpointYet_WaitsAndSaysForWhat(string reason, SourceSnapshot? source, long? step)
    {
        var decision = JobReconciler.Decide(New(source, step));

        Assert.Equal((reason, TrainingPhase.Pending), (decision.Reason, decision.Status!.Phase));
        Assert.Empty(decision.Actions);
        Assert.Contains("waiting for job source", decision.Message, StringComparison.Ordinal);
        Assert.Equal(("False", reason), decision.Status.Conditions!.Where(condition => condition.Type == TrainingConditions.Initialized).Select(condition => (condition.Status!, condition.Reason!)).Single());
        Assert.NotNull(decision.RequeueAfter);
        Assert.Equal(0, decision.Status.Attempt);
    }

    [Theory]
    [MemberData(nameof(Hopeless))]
    public void Decide_NoCheckpointWillCome_FailsWithTheRemedy(string expected, SourceSnapshot source, long? step)
    {
        var decision = JobReconciler.Decide(New(source, step));

        Assert.Equal(("InitializeFailed", TrainingPhase.Failed), (decision.Reason, decision.Status!.Phase));
        Assert.Contains(expected, decision.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 300)]
    [InlineData(200L, 200)]
    public void Decide_SourceHasACheckpoint_RemembersWhereAndGoesOn(long? asked, long expected)
    {
        var snapshot = New(new SourceSnapshot(TrainingPhase.Running, false, false, 300, Uri), asked);

        var decision = JobReconciler.Decide(snapshot);

        var from = decision.Status!.InitializedFrom!;
        Assert.Equal(("source", expected, "file:///checkpoints/default/source-1"), (from.Job, from.Step, from.Uri));
        // The other job may be gone from now on.
        var next = JobReconciler.Decide(snapshot.After(decision) with { Source = null });
        Assert.Equal(("Created", 1), (next.Reason, next.Status!.Attempt));
        Assert.Equal(from.Uri, next.Status.InitializedFrom!.Uri);
    }

    [Fact]
    public void Decide_WithAQueue_AsksForNoQuotaBeforeTheCheckpointIsThere()
    {
        var decision = JobReconciler.Decide(New(null, null, spec => spec.Queue = "research") with { Admission = new QueueAdmission(AdmissionState.Granted, 2, "QuotaReserved", "granted") });

        Assert.Equal("SourceNotFound", decision.Reason);
        Assert.DoesNotContain(decision.Status!.Conditions!, condition => condition is { Type: TrainingConditions.QuotaReserved, Status: "True" });
    }

    [Fact]
    public void Decide_SourceSavesToBlobs_RemembersTheSecretThatReadsThem()
    {
        var source = new SourceSnapshot(TrainingPhase.Running, false, false, 300, "https://models.blob.core.windows.net/checkpoints/run/step-00000300", "key");

        var from = JobReconciler.Decide(New(source, null)).Status!.InitializedFrom!;

        Assert.Equal(("https://models.blob.core.windows.net/checkpoints/run", "key"), (from.Uri, from.SecretName));
    }

    /// <summary>Simulated jobs commit nothing.</summary>
    [Fact]
    public void Decide_WithoutExecution_WaitsForNoCheckpoint()
    {
        var snapshot = New(null, null);
        snapshot.Job.Metadata.Annotations = new Dictionary<string, string> { [PhiNames.SimulatedRuntimeAnnotation] = "200ms" };

        var found = SimulatedJobReconciler.Decide(snapshot);
        var starts = SimulatedJobReconciler.Decide(snapshot.After(found));

        Assert.Equal(("SourceFound", "source"), (found.Reason, found.Status!.InitializedFrom!.Job));
        Assert.Equal(("QuotaReserved", TrainingPhase.Running, 1), (starts.Reason, starts.Status!.Phase, starts.Status.Attempt));
    }

    [Fact]
    public void Decide_FromAFolder_WaitsForNothing()
    {
        var decision = JobReconciler.Decide(Jobs.New(job => job.Spec.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Folder = new FolderStoreSpec { Path = "/x" } } }));

        Assert.Equal("Created", decision.Reason);
    }

    private static JobSnapshot New(SourceSnapshot? source, long? step, Action<TrainingJobSpec>? change = null) => Jobs.New(job =>
    {
        job.Spec.Phi!.Initialize = new InitializeSpec { From = new InitializeSourceSpec { Job = "source" }, Step = step };
        change?.Invoke(job.Spec);
    }) with { Source = source };
}

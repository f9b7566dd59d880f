using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Phases;

/// <summary>A job that begins with another job's checkpoint waits for that, before it asks for quota or nodes.</summary>
internal static class Initialization
{
    /// <summary>Nothing tells of the other job's checkpoints.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>Null: it waits for no checkpoint.</summary>
    public static JobDecision? Decide(JobSnapshot snapshot)
    {
        if (!InitializeSource.IsAwaited(snapshot.Job) || snapshot.Job.Spec.Suspend == true)
        {
            return null;
        }

        var (name, wanted) = (snapshot.Job.Spec.Phi!.Initialize!.From!.Job!, snapshot.Job.Spec.Phi.Initialize.Step);
        return snapshot.Source switch
        {
            null => Wait(snapshot, "SourceNotFound", $"waiting for job {name}, whose checkpoint it begins with: there is no such job in its namespace; create it, or name another in spec.phi.initialize.from.job"),
            { IsContainer: true } => Fail(snapshot, $"job {name} runs a program of its own, whose checkpoints cannot be loaded; name a phi job in spec.phi.initialize.from.job"),
            { Step: { } step, Uri: { } uri } source when !(wanted > step) => Resolve(snapshot, $"job {name} ({source.Phase}) has a checkpoint of step {wanted ?? step}", new InitializedFromStatus { Job = name, Step = wanted ?? step, Uri = uri[..Math.Max(0, uri.TrimEnd('/').LastIndexOf('/'))], SecretName = source.SecretName }),
            { IsOver: true } source => Fail(snapshot, $"job {name} is {source.Phase} and has committed {Newest(source, wanted)}; name another job in spec.phi.initialize.from.job{(wanted is null ? "" : ", or another step")}"),
            { } source => Wait(snapshot, "SourceHasNoCheckpoint", $"waiting for job {name}, which is {source.Phase} and has committed {Newest(source, wanted)} yet"),
        };
    }

    /// <summary>Where no job is executed none has a checkpoint either, so there is nothing to wait for.</summary>
    public static JobDecision Simulate(JobSnapshot snapshot)
    {
        var name = snapshot.Job.Spec.Phi!.Initialize!.From!.Job!;
        return Resolve(snapshot, $"the job's execution is simulated: it waits for no checkpoint of job {name}", new InitializedFromStatus { Job = name });
    }

    private static JobDecision Wait(JobSnapshot snapshot, string reason, string message) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).Phase(TrainingPhase.Pending).Set(TrainingConditions.Initialized, false, reason, message).Build(),
        Reason = reason,
        Message = message,
        RequeueAfter = LookAgain,
    };

    private static JobDecision Fail(JobSnapshot snapshot, string message) => Steps.Fail(snapshot, "InitializeFailed", message);

    /// <summary>From now on the job does not need the other any more, only its checkpoints.</summary>
    private static JobDecision Resolve(JobSnapshot snapshot, string message, InitializedFromStatus from) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).Phase(TrainingPhase.Pending).InitializeFrom(from).Set(TrainingConditions.Initialized, true, "SourceFound", message).Build(),
        Reason = "SourceFound",
        Message = message,
        RequeueAfter = TimeSpan.Zero,
    };

    private static string Newest(SourceSnapshot source, long? wanted) =>
        source.Step is { } step && wanted is { } asked ? string.Create(CultureInfo.InvariantCulture, $"no checkpoint of step {asked} (the newest is of step {step})") : "no checkpoint";
}

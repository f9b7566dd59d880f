using Phi.Api.TrainingJobs;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>When to save: after so many steps, and when so much time has passed since the last save began. Time is a monotonic clock's.</summary>
internal sealed class SaveSchedule(CheckpointSpec spec, long lastStep, TimeProvider time)
{
    private long _since = time.GetTimestamp();

    /// <summary>By this rank's clock; always false without everyMinutes.</summary>
    public bool IsDue => spec.EveryMinutes is { } minutes && time.GetElapsedTime(_since).TotalMinutes >= minutes;

    public bool IsScheduled(long step) => step % spec.EverySteps!.Value == 0 || step == lastStep;

    /// <summary>A save begins, whatever it was that asked for it.</summary>
    public void Begin() => _since = time.GetTimestamp();
}

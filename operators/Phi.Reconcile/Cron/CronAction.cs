using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>Something to be done to a CronTrainingJob's jobs. Each is idempotent.</summary>
public abstract record CronAction
{
    private CronAction()
    {
    }

    /// <summary>One that is there already, and is this one's, was created by an earlier try.</summary>
    public sealed record CreateJob(TrainingJob Job) : CronAction;

    /// <param name="Why">A clause for the event.</param>
    public sealed record DeleteJob(string Name, string Uid, string Why) : CronAction;
}

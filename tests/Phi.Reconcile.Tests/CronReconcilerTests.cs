using CsCheck;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Cron;

namespace Phi.Reconcile.Tests;

/// <summary>Decisions on a CronTrainingJob that is due at every full hour.</summary>
public sealed class CronReconcilerTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 30, 0, TimeSpan.Zero);

    [Fact]
    public void Decide_BeforeTheFirstTime_WaitsForIt()
    {
        var decision = CronReconciler.Decide(New());

        Assert.Empty(decision.Actions);
        Assert.Equal(("Scheduled", "the next run is due at 2026-01-01T01:00:00Z"), (decision.Reason, decision.Message));
        Assert.Equal(At(1), decision.WakeAt);
        Assert.Equal(At(1), decision.Status.NextScheduleTime);
    }

    [Fact]
    public void Decide_AtTheTime_CreatesAJobWhoseNameIsItsMinute()
    {
        var decision = CronReconciler.Decide(New() with { Now = At(1) });

        var job = Assert.Single(decision.Actions.OfType<CronAction.CreateJob>()).Job;
        Assert.Equal($"nightly-{At(1).ToUnixTimeSeconds() / 60}", job.Metadata.Name);
        Assert.Equal("nightly", job.Metadata.Labels![PhiNames.CronNameLabel]);
        Assert.Equal("a", job.Metadata.Labels["team"]);
        Assert.Equal($"{At(1).ToUnixTimeSeconds()}", job.Metadata.Annotations![PhiNames.ScheduledTimeAnnotation]);
        Assert.Equal(("CronTrainingJob", "cron-uid", true), (job.Metadata.OwnerReferences![0].Kind, job.Metadata.OwnerReferences[0].Uid, job.Metadata.OwnerReferences[0].Controller));
        Assert.Equal(10, job.Spec.Phi!.Steps);
        Assert.Equal((At(1), At(2), 0), (decision.Status.LastScheduleTime!.Value, decision.Status.NextScheduleTime!.Value, decision.Status.MissedRuns!.Value));
        Assert.Equal([job.Metadata.Name!], decision.Status.Active);
        Assert.Equal(At(2), decision.WakeAt);
    }

    [Fact]
    public void Decide_AfterDowntime_RunsOnlyTheNewestTime()
    {
        var decision = CronReconciler.Decide(New() with { Now = At(4).AddMinutes(20) });

        Assert.Equal(At(4), CronTemplate.ScheduledTime(Assert.Single(decision.Actions.OfType<CronAction.CreateJob>()).Job));
        Assert.Equal(3, decision.Status.MissedRuns);
        Assert.EndsWith("; 3 earlier runs were missed, and only the newest is made up for", decision.Message, StringComparison.Ordinal);
        Assert.False(decision.IsWarning);
    }

    [Fact]
    public void Decide_AfterAHundredAndOneMissedTimes_SaysSoAndRunsTheNewest()
    {
        var decision = CronReconciler.Decide(New() with { Now = At(102) });

        Assert.Equal(At(102), CronTemplate.ScheduledTime(Assert.Single(decision.Actions.OfType<CronAction.CreateJob>()).Job));
        Assert.Equal(("TooManyMissed", true, 100), (decision.Reason, decision.IsWarning, decision.Status.MissedRuns));
        Assert.Contains("more than 100 earlier runs were missed", decision.Message, StringComparison.Ordinal);
        Assert.Equal("Scheduled", CronReconciler.Decide(New() with { Now = At(101) }).Reason);
    }

    [Fact]
    public void Decide_PastTheStartingDeadline_MissesTheRun()
    {
        var snapshot = New(cron => cron.Spec.StartingDeadlineSeconds = 60);

        var late = CronReconciler.Decide(snapshot with { Now = At(1).AddSeconds(61) });

        Assert.Single(CronReconciler.Decide(snapshot with { Now = At(1).AddSeconds(59) }).Actions);
        Assert.Empty(late.Actions);
        Assert.Equal(("MissedDeadline", true), (late.Reason, late.IsWarning));
        Assert.Equal("the run of 2026-01-01T01:00:00Z was missed: it did not start within startingDeadlineSeconds (60); the next is due at 2026-01-01T02:00:00Z", late.Message);
        Assert.Equal(1, CronReconciler.Decide(snapshot with { Now = At(2) }).Status.MissedRuns);
    }

    [Fact]
    public void Decide_ForbidWhileAJobRuns_WaitsForItsEndAndThenRuns()
    {
        var running = New() with { Jobs = [Job(At(1), TrainingPhase.Running)], Now = At(2) };
        var ended = running with { Jobs = [Job(At(1), TrainingPhase.Succeeded)], Now = At(2).AddMinutes(10) };

        var waiting = CronReconciler.Decide(running);

        Assert.Empty(waiting.Actions);
        Assert.Equal($"the run of 2026-01-01T02:00:00Z waits: {Job(At(1), null).Metadata.Name} has not finished, and concurrencyPolicy is Forbid", waiting.Message);
        Assert.Equal(At(2), CronTemplate.ScheduledTime(Assert.Single(CronReconciler.Decide(ended).Actions.OfType<CronAction.CreateJob>()).Job));
    }

    [Fact]
    public void Decide_ForbidWithADeadline_LooksAgainWhenTheRunIsTooLate()
    {
        var running = New(cron => cron.Spec.StartingDeadlineSeconds = 60) with { Jobs = [Job(At(1), TrainingPhase.Running)], Now = At(2) };

        Assert.Equal(At(2).AddSeconds(60), CronReconciler.Decide(running).WakeAt);
        Assert.Equal("MissedDeadline", CronReconciler.Decide(running with { Now = At(2).AddSeconds(60) }).Reason);
    }

    [Fact]
    public void Decide_ReplaceWhileAJobRuns_DeletesItFirst()
    {
        var decision = CronReconciler.Decide(New(cron => cron.Spec.ConcurrencyPolicy = "Replace") with { Jobs = [Job(At(1), TrainingPhase.Running)], Now = At(2) });

        Assert.Equal(Job(At(1), null).Metadata.Uid, Assert.IsType<CronAction.DeleteJob>(decision.Actions[0]).Uid);
        Assert.IsType<CronAction.CreateJob>(decision.Actions[1]);
        Assert.Single(decision.Status.Active!);
    }

    [Fact]
    public void Decide_AllowWhileAJobRuns_RunsBoth()
    {
        var decision = CronReconciler.Decide(New(cron => cron.Spec.ConcurrencyPolicy = "Allow") with { Jobs = [Job(At(1), TrainingPhase.Running)], Now = At(2) });

        Assert.IsType<CronAction.CreateJob>(Assert.Single(decision.Actions));
        Assert.Equal(2, decision.Status.Active!.Count);
    }

    [Fact]
    public void Decide_JobThatTheStatusDoesNotKnow_IsNotRunAgain()
    {
        var decision = CronReconciler.Decide(New() with { Jobs = [Job(At(1), TrainingPhase.Running)], Now = At(1).AddSeconds(5) });

        Assert.Empty(decision.Actions);
        Assert.Equal(At(1), decision.Status.LastScheduleTime);
    }

    [Fact]
    public void Decide_Suspended_CreatesNothingAndStillTidiesUp()
    {
        var decision = CronReconciler.Decide(New(cron => (cron.Spec.Suspend, cron.Spec.SuccessfulJobsHistoryLimit) = (true, 0)) with { Jobs = [Job(At(1), TrainingPhase.Succeeded)], Now = At(5) });

        Assert.IsType<CronAction.DeleteJob>(Assert.Single(decision.Actions));
        Assert.Equal("Suspended", decision.Reason);
        Assert.Null(decision.WakeAt);
        Assert.Null(decision.Status.NextScheduleTime);
    }

    [Fact]
    public void Decide_MoreFinishedJobsThanTheLimits_DeletesTheOldest()
    {
        var snapshot = New(cron => cron.Status = new CronTrainingJobStatus { LastScheduleTime = At(9) }) with
        {
            Jobs = [.. Enumerable.Range(1, 5).Select(hour => Job(At(hour), TrainingPhase.Succeeded)), Job(At(6), TrainingPhase.Failed), Job(At(7), TrainingPhase.Failed), Job(At(8), TrainingPhase.Running)],
            Now = At(9).AddMinutes(1),
        };

        var decision = CronReconciler.Decide(snapshot);

        Assert.Equal(new[] { 1, 2, 6 }.Select(hour => Job(At(hour), null).Metadata.Name), decision.Actions.OfType<CronAction.DeleteJob>().Select(delete => delete.Name));
        Assert.Equal(At(5).AddMinutes(1), decision.Status.LastSuccessfulTime);
    }

    [Fact]
    public void Decide_InvalidSpec_SaysEveryErrorInItsCondition()
    {
        var cron = New(cron => (cron.Spec.Schedule, cron.Spec.TimeZone, cron.Spec.JobTemplate!.Spec!.Phi!.Steps) = ("61 * * * *", "Mars/Olympus", 0));
        var errors = CronTrainingJobValidator.Validate(cron.Cron);

        var decision = CronReconciler.Decide(cron with { Errors = [.. errors], Calendar = null });

        Assert.Equal(["spec.schedule", "spec.timeZone", "spec.jobTemplate.spec.phi.steps"], errors.Select(error => error.Field));
        var condition = Assert.Single(decision.Status.Conditions!);
        Assert.Equal(("Scheduling", "False", "InvalidSpec"), (condition.Type, condition.Status, condition.Reason));
        Assert.StartsWith("spec.schedule: 61 * * * *: has '61' as minute, which must be from 0 to 59; ", condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_AnyHistoryOfLooks_RunsNoTimeTwiceAndCountsEachOne() => Gen.Select(Gen.Int[1, 300].Array[1, 12], Gen.OneOf(Gen.Const("Allow"), Gen.Const("Forbid"), Gen.Const("Replace")), Gen.Bool.Array[12]).Sample((gaps, policy, ends) =>
    {
        var snapshot = New(cron => cron.Spec.ConcurrencyPolicy = policy);
        var created = new List<DateTimeOffset>();
        foreach (var (i, gap) in gaps.Index())
        {
            snapshot = snapshot with { Now = snapshot.Now.AddMinutes(gap), Jobs = ends[i] ? [.. snapshot.Jobs.Select(job => Job(CronTemplate.ScheduledTime(job)!.Value, TrainingPhase.Succeeded))] : snapshot.Jobs };
            var decision = CronReconciler.Decide(snapshot);
            created.AddRange(decision.Actions.OfType<CronAction.CreateJob>().Select(create => CronTemplate.ScheduledTime(create.Job)!.Value));
            snapshot = After(snapshot, decision);
            Assert.DoesNotContain(CronReconciler.Decide(snapshot).Actions, action => action is CronAction.CreateJob);
        }

        Assert.Equal(created.Distinct().Order(), created);
        var due = created.Count == 0 ? 0 : (int)Math.Floor((created[^1] - Start).TotalHours + 0.5);
        Assert.Equal(due, created.Count + (snapshot.Status.MissedRuns ?? 0));
    });

    private static CronSnapshot After(CronSnapshot snapshot, CronDecision decision)
    {
        var deleted = decision.Actions.OfType<CronAction.DeleteJob>().Select(delete => delete.Uid).ToHashSet();
        var created = decision.Actions.OfType<CronAction.CreateJob>().Select(create => Job(CronTemplate.ScheduledTime(create.Job)!.Value, TrainingPhase.Running));
        snapshot.Cron.Status = decision.Status;
        return snapshot with { Jobs = [.. snapshot.Jobs.Where(job => !deleted.Contains(job.Metadata.Uid!)), .. created] };
    }

    private static DateTimeOffset At(int hour) => Start.Date.AddHours(hour) is var date ? new DateTimeOffset(date, TimeSpan.Zero) : default;

    private static TrainingJob Job(DateTimeOffset due, string? phase)
    {
        var job = CronTemplate.Scheduled(New().Cron, due);
        (job.Metadata.Uid, job.Metadata.CreationTimestamp) = ($"uid-{job.Metadata.Name}", due);
        job.Status = new TrainingJobStatus { Phase = phase, CompletionTime = phase is TrainingPhase.Succeeded or TrainingPhase.Failed ? due.AddMinutes(1) : null };
        return job;
    }

    private static CronSnapshot New(Action<CronTrainingJob>? change = null)
    {
        var cron = new CronTrainingJob
        {
            Metadata = new ObjectMeta { Name = "nightly", Namespace = "default", Uid = "cron-uid", Generation = 1, CreationTimestamp = Start },
            Spec = new CronTrainingJobSpec
            {
                Schedule = "0 * * * *",
                JobTemplate = new TrainingJobTemplate
                {
                    Metadata = new ObjectMeta { Labels = new Dictionary<string, string> { ["team"] = "a" } },
                    Spec = new TrainingJobSpec { Phi = new PhiSpec { Steps = 10, Data = new DataSpec { Sources = ["/x"], Tokenizer = new TokenizerSpec { Bytes = new() } } } },
                },
            },
        };
        change?.Invoke(cron);
        return new CronSnapshot
        {
            Cron = cron,
            Errors = [],
            Calendar = CronSchedule.TryParse("0 * * * *", out var schedule, out _) ? new CronCalendar(schedule, TimeZoneInfo.Utc) : null,
            Jobs = [],
            Now = Start,
        };
    }
}

using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;
using Phi.Cli.Queues;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Tests;

/// <summary>phi why and phi queue, from lists of objects to what is printed.</summary>
public sealed class QueueReportTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Why_WaitingJob_NamesPositionReasonAndWhatItWaitsFor()
    {
        var state = State(Job("first", 2), Job("second", 1), Job("runs", 3, condition: new Condition { Type = TrainingConditions.QuotaReserved, Status = "True" }));

        var text = new StringWriter();
        QueueText.Write(WhyReport.Of(state.Jobs[0], state), text);

        Assert.Equal("""
            job:         default/first
            state:       Pending
            queue:       research
            position:    1
            reason:      InsufficientQuota
                         the job needs 2 cpu accelerators at least and 1 are free for it: 4 nominal, 3 used
            waits for:   the end of default/runs (3)
            QUEUE     COHORT  TYPE  NOMINAL  USED  BORROWED  LENT  RESERVED
            research  -       cpu   4        3     0         0     1

            """, text.ToString(), ignoreLineEndingDifferences: true);
        Assert.Equal((2, "BehindAnother", "default/first"), (WhyReport.Of(state.Jobs[1], state).Position, WhyReport.Of(state.Jobs[1], state).Reason, WhyReport.Of(state.Jobs[1], state).WaitsFor));
    }

    [Theory]
    [InlineData(TrainingPhase.Failed, TrainingConditions.Finished, "MaxRestartsExceeded")]
    [InlineData(TrainingPhase.Running, TrainingConditions.Training, "Training")]
    [InlineData(TrainingPhase.Pending, TrainingConditions.Admitted, "InsufficientCapacity")]
    public void Why_JobWithoutAQueue_SaysWhatItsConditionSays(string phase, string type, string reason)
    {
        var job = Job("alone", 1, queue: null, phase: phase, condition: new Condition { Type = type, Status = "False", Reason = reason, Message = "because" });

        var report = WhyReport.Of(job, State(job));

        Assert.Equal((phase, reason, "because", null), (report.State, report.Reason, report.Message, report.Position));
    }

    [Fact]
    public void WhatIf_UrgentJob_ListsItsVictims()
    {
        var state = State(Job("runs", 4, condition: new Condition { Type = TrainingConditions.QuotaReserved, Status = "True" }));
        var urgent = QueueReader.Job(Job("urgent", 2, priorityClass: "high"), state.Priorities)!;

        var report = WhatIfReport.Of(urgent, state.Snapshot);

        Assert.Equal(("Preempts", 1, "WaitingForEvictions"), (report.Outcome, report.Position, report.Reason));
        Assert.Equal(("default/runs", 4L, "InQueue"), (report.Evictions[0].Job, report.Evictions[0].Accelerators, report.Evictions[0].Reason));
    }

    private static QueueState State(params TrainingJob[] jobs) => QueueState.Of(
        [new TrainingQueue { Metadata = new ObjectMeta { Name = "research" }, Spec = new TrainingQueueSpec { Quotas = [new QueueQuotaSpec { AcceleratorType = "cpu", Nominal = 4 }] } }],
        new Dictionary<string, int> { ["high"] = 10 }, jobs, Start.AddHours(1));

    private static TrainingJob Job(string name, int units, string? queue = "research", string? phase = null, string? priorityClass = null, Condition? condition = null) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = name, CreationTimestamp = Start },
        Spec = new TrainingJobSpec { Queue = queue, PriorityClassName = priorityClass, Replicas = units, Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 1 } },
        Status = condition is null ? null : new TrainingJobStatus { Phase = phase, Conditions = [condition] },
    };
}

using Phi.Api.Agent;
using Phi.Collectives;
using Phi.Trainer.Ranks.Saving;
using Phi.Trainer.Replicas;
using Phi.Training.Data;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Steps, saves and evaluations until the job's last step, until the ranks are asked to leave, or until the loss diverges.</summary>
/// <param name="replicas">Null: no copies are kept in memory.</param>
/// <param name="heldOut">Null: nothing is evaluated.</param>
internal sealed class RankTraining(TrainingLoop loop, ICommunicator group, RankCheckpoints checkpoints, RankSaver saver, RankReplicas? replicas, RankStart start, TokenDataset? heldOut, LeaveRequest leave, Action<RankEvent> emit, TimeProvider time)
{
    /// <summary>Windows of held-out text whose mean loss is reported at each checkpoint.</summary>
    private const int EvaluationSamples = 64;

    private readonly long _total = start.Assignment.Spec.Phi!.Steps!.Value;
    private readonly SaveSchedule _schedule = new(start.Assignment.Spec.Checkpoint!, start.Assignment.Spec.Phi!.Steps!.Value, time);

    /// <summary>The exit code is one of <see cref="RankExitCodes"/>. No save is in flight then.</summary>
    public int Run()
    {
        var traffic = new TrafficMetrics(loop);
        var guard = new DivergenceGuard(start.Assignment.Spec.Recovery!.Divergence!);
        while (loop.CompletedSteps < _total)
        {
            traffic.Skip();
            var step = loop.Step();
            var metrics = Describe(step);
            traffic.AddTo(metrics);
            var agreed = saver.Meet(leave, _schedule.IsDue);
            var isCheckpoint = agreed.IsDue || _schedule.IsScheduled(step.Step);
            if (isCheckpoint && heldOut is not null && loop.Evaluate(heldOut, EvaluationSamples) is var loss && group.Rank == 0)
            {
                metrics["eval_loss"] = loss;
            }

            var told = new StepEvent { Rank = start.Rank, Step = step.Step, Time = time.GetUtcNow(), Metrics = metrics };
            checkpoints.History.Add(start.Assignment.Attempt, told);
            emit(new RankEvent.Stepped(told));
            if (guard.Check(step, loop.IsLossScaled) is { } problem)
            {
                // Nothing of this step is saved.
                saver.Finish(leave);
                emit(new RankEvent.Diverged(step.Batch, problem));
                return RankExitCodes.Diverged;
            }

            if (agreed.IsLeaving && step.Step < _total)
            {
                Leave(isCheckpoint);
                return RankExitCodes.SavedAndLeft;
            }

            replicas?.Renew(step.Step);
            if (isCheckpoint)
            {
                _schedule.Begin();
                saver.Begin(leave);
            }
        }

        saver.Finish(leave);
        if (saver.Step < loop.CompletedSteps)
        {
            saver.SaveNow(leave);
        }

        return RankExitCodes.Completed;
    }

    /// <summary>The save in flight comes first: it is the one that time has been spent on.</summary>
    private void Leave(bool isCheckpoint)
    {
        saver.Finish(leave);
        if (!isCheckpoint && start.Assignment.Spec.Checkpoint!.OnPreemption != true)
        {
            return;
        }

        // Time has passed.
        var decision = LeaveDecision.Of(loop.CompletedSteps, saver.Step, saver.Meet(leave, isDue: false));
        if (decision.IsSaved)
        {
            saver.SaveNow(leave);
        }
        else if (group.Rank == 0)
        {
            emit(new RankEvent.Missed(new MissedCheckpoint { Step = loop.CompletedSteps, Time = time.GetUtcNow(), Reason = MissedCheckpoint.NoTime, Message = decision.Message }));
        }
    }

    /// <summary>What is the same on all ranks is told by rank 0 alone.</summary>
    private Dictionary<string, double> Describe(StepResult step)
    {
        var metrics = new Dictionary<string, double> { ["step_seconds"] = step.Seconds, ["busy_seconds"] = step.Seconds - step.WaitSeconds };
        if (group.Rank == 0)
        {
            metrics["loss"] = step.Loss;
            metrics["learning_rate"] = step.LearningRate;
            metrics["grad_norm"] = step.GradientNorm;
            metrics["tokens"] = (double)step.Step * step.Tokens;
            metrics["tokens_per_second"] = step.Tokens / step.Seconds;
            if (loop.IsLossScaled)
            {
                metrics["loss_scale"] = loop.LossScale;
            }
        }

        return metrics;
    }
}

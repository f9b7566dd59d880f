using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>A loss that is not finite, or jumped: the same step would diverge again, so the job stops, or goes back and leaves the batch out.</summary>
internal static class DivergencePolicy
{
    public static AttemptFailure Find(JobSnapshot snapshot, GangMember member, RankHeartbeat rank)
    {
        var divergence = snapshot.Job.Spec.Recovery!.Divergence!;
        var batch = rank.DivergedBatch is { } number ? $" on batch {number}" : "";
        var words = string.IsNullOrWhiteSpace(rank.Message) ? "" : $": {rank.Message.Trim().TrimEnd('.')}";
        var what = $"the loss diverged after step {rank.Step}{batch} (rank {rank.Rank}){words}";
        var (rollbacks, most) = (snapshot.Status.Rollbacks ?? 0, divergence.MaxRollbacks!.Value);
        var failure = divergence.Action switch
        {
            "Rollback" when rollbacks < most => new AttemptFailure(true, false, "LossDiverged", $"{what}; rollback {rollbacks + 1} of at most {most}{(rank.DivergedBatch is null ? "" : ", without that batch")}")
            {
                IsRollback = true,
                SkippedBatch = rank.DivergedBatch,
            },
            "Rollback" => new AttemptFailure(true, true, "LossDiverged", $"{what}; {rollbacks} rollbacks are all that recovery.divergence.maxRollbacks allows"),
            _ => new AttemptFailure(true, true, "LossDiverged", $"{what}; recovery.divergence.action is {divergence.Action}"),
        };
        return failure with { ExitCode = rank.ExitCode, Words = rank.Message, Node = member.Pod.Node };
    }
}

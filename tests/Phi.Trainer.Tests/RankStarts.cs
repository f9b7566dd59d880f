using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

internal static class RankStarts
{
    public static string PeerKey(int attempt) => $"key of attempt {attempt}";

    public static RankStart Of(int rank, int world, int attempt = 1) => new()
    {
        Assignment = new Assignment { Attempt = attempt, WorldSize = world, Replicas = 1, LocalWorldSize = world, FirstRank = 0, MasterAddress = "127.0.0.1", MasterPort = 0, PeerKey = PeerKey(attempt), Spec = new TrainingJobSpec() },
        RunId = "run",
        Rank = rank,
        NodeRank = 0,
        BindAddress = "127.0.0.1",
        CheckpointRoot = "",
        DataCache = "",
    };
}

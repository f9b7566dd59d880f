using Phi.Chaos;
using Phi.Chaos.Faults;

namespace Phi.EndToEnd.Tests;

/// <summary>The short form of the chaos suite; <c>phi bench chaos</c> is the long one.</summary>
public sealed class ChaosTests
{
    private const int Seed = 4;
    private const long Steps = 900;

    [Fact]
    public async Task Job_DisturbedByFaultsOfManyKinds_EndsWithTheUndisturbedLosses()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("phi chaos ").FullName;
        var corpus = Manifests.WriteCorpus(folder);
        await using (var cluster = new ChaosCluster(Path.Combine(folder, "home"), Tools.Cli, Tools.TrainerFolder))
        {
            await cluster.StartAsync(nodes: 4, ct);
            var random = new Random(Seed);
            var run = new ChaosRun(cluster, random, TestContext.Current.SendDiagnosticMessage);
            Fault[] faults = [FaultCatalog.RankKilled, FaultCatalog.RankStopped, FaultCatalog.NodeDrained, FaultCatalog.OperatorKilled, FaultCatalog.NodeStopped, FaultCatalog.ApiServerKilled, FaultCatalog.SpotNotice, FaultCatalog.NodeKilled];
            random.Shuffle(faults);

            var undisturbed = await run.UndisturbedAsync("undisturbed", $"{corpus}/*.txt", Steps, ct);
            var (outcomes, losses) = await run.DisturbedAsync("disturbed", $"{corpus}/*.txt", Steps, faults, ct);

            Assert.Equal(faults.Length, outcomes.Count);
            Losses.AssertEqual(undisturbed, losses, Steps);
        }

        Directory.Delete(folder, recursive: true);
    }
}

using Phi.Chaos;
using Phi.Chaos.Faults;

namespace Phi.EndToEnd.Tests;

/// <summary>The short form of the chaos suite; <c>phi bench chaos</c> is the long one.</summary>
public sealed class ChaosTests
{
    private const int Seed = 4;
    private const long Steps = 1800;

    [Fact]
    public async Task Job_DisturbedByFaultsOfManyKinds_EndsWithTheUndisturbedLosses()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("phi chaos ").FullName;
        var corpus = Manifests.WriteCorpus(folder);
        await using (var cluster = new ChaosCluster(Path.Combine(folder, "home"), Tools.Cli, Tools.TrainerFolder))
        {
            await cluster.StartAsync(nodes: 6, ct);
            var random = new Random(Seed);
            Fault[] faults = [FaultCatalog.RankKilled, FaultCatalog.RankStopped, FaultCatalog.NodeDrained, FaultCatalog.OperatorKilled, FaultCatalog.NodeStopped, FaultCatalog.ApiServerKilled, FaultCatalog.SpotNotice, FaultCatalog.NodeKilled];
            random.Shuffle(faults);

            var outcomes = await new ChaosRun(cluster, $"{corpus}/*.txt", Steps, random, TestContext.Current.SendDiagnosticMessage).RunAsync(faults, ct);

            Assert.Equal(faults, outcomes.Select(outcome => outcome.Fault));
        }

        Directory.Delete(folder, recursive: true);
    }
}

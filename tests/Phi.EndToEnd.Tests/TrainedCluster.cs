namespace Phi.EndToEnd.Tests;

/// <summary>A cluster with a queue and a job that has trained.</summary>
public sealed class TrainedCluster : IAsyncLifetime
{
    public const string Job = "trained";
    public const int Steps = 60;
    private PhiCluster? _cluster;

    internal PhiCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        await _cluster.ApplyAsync("""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingQueue
            metadata: {name: pages}
            spec: {quotas: [{acceleratorType: cpu, nominal: 4}]}
            """);
        await _cluster.ApplyAsync(Manifests.Tiny(Job, Manifests.WriteCorpus(_cluster.Work), Steps));
        await _cluster.WaitForSuccessAsync(Job);
    }

    public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One such cluster serves the tests of several classes.</summary>
[CollectionDefinition(nameof(TrainedCluster))]
public sealed class TrainedClusterUsers : ICollectionFixture<TrainedCluster>;

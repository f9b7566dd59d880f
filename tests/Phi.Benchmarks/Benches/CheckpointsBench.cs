using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>Checkpoints: what resharding reads, and whether it is exact.</summary>
internal sealed class CheckpointsBench : IBench
{
    public string Name => "checkpoints";

    public string Description => "checkpoints handed on between 4, 3, 8 and 4 ranks: exactness, bytes read, speed";

    public Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi bench checkpoints ").FullName;
        try
        {
            return Task.FromResult(ReshardMeasure.Run(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

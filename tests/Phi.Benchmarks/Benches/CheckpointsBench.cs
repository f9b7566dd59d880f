using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>What checkpoints cost.</summary>
internal sealed class CheckpointsBench : IBench
{
    public string Name => "checkpoints";

    public string Description => "training time lost to saving, beside training and waited for";

    public Task<IReadOnlyList<Metric>> RunAsync() => SavingCost.MeasureAsync();
}

using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>What checkpoints cost.</summary>
internal sealed class CheckpointsBench : IBench
{
    private readonly Option<int> _roundsOption = new("--rounds") { Description = "Runs of each kind, of which the medians are taken.", DefaultValueFactory = _ => SavingCost.UsualRounds };
    private int _rounds = SavingCost.UsualRounds;

    public string Name => "checkpoints";

    public string Description => "training time lost to saving, beside training and waited for";

    public IReadOnlyList<Option> Options => [_roundsOption];

    public void Configure(ParseResult parsed) => _rounds = Math.Max(1, parsed.GetValue(_roundsOption));

    public Task<IReadOnlyList<Metric>> RunAsync() => SavingCost.MeasureAsync(_rounds);
}

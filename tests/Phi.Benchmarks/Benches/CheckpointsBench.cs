using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>What checkpoints cost: of training time, and of reads by another number of ranks.</summary>
internal sealed class CheckpointsBench : IBench
{
    private readonly Option<int> _roundsOption = new("--rounds") { Description = "Runs of each kind of saving, of which the medians are taken.", DefaultValueFactory = _ => SavingCost.UsualRounds };
    private int _rounds = SavingCost.UsualRounds;

    public string Name => "checkpoints";

    public string Description => "training time lost to saving, beside training and waited for; what resharding 4, 3, 8 and 4 ranks reads";

    public IReadOnlyList<Option> Options => [_roundsOption];

    public void Configure(ParseResult parsed) => _rounds = Math.Max(1, parsed.GetValue(_roundsOption));

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi bench checkpoints ").FullName;
        try
        {
            return [.. ReshardMeasure.Run(folder), .. await SavingCost.MeasureAsync(_rounds)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

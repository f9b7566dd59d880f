using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>What checkpoints cost: of training time, of reads by another number of ranks, of an upload's speed, and of the time until training goes on.</summary>
internal sealed class CheckpointsBench : IBench
{
    private const string Reshard = "reshard";
    private const string Upload = "upload";
    private const string Saving = "saving";
    private const string Restart = "restart";
    private readonly Option<int> _roundsOption = new("--rounds") { Description = "Runs of each kind of saving, of which the medians are taken.", DefaultValueFactory = _ => SavingCost.UsualRounds };
    private readonly Option<string?> _partOption = Part();
    private int _rounds = SavingCost.UsualRounds;
    private string? _part;

    public string Name => "checkpoints";

    public string Description => "training time lost to saving, beside training and waited for; what resharding 4, 3, 8 and 4 ranks reads; an upload against the SDK's own; a restart from memory and from the stores";

    public IReadOnlyList<Option> Options => [_partOption, _roundsOption];

    public void Configure(ParseResult parsed) => (_part, _rounds) = (parsed.GetValue(_partOption), Math.Max(1, parsed.GetValue(_roundsOption)));

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi bench checkpoints ").FullName;
        try
        {
            return
            [
                .. Has(Reshard) ? ReshardMeasure.Run(folder) : [],
                .. Has(Upload) ? UploadMeasure.Run(_rounds) : [],
                .. Has(Saving) ? await SavingCost.MeasureAsync(_rounds) : [],
                .. Has(Restart) ? await RestartMeasure.RunAsync(_rounds) : [],
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private bool Has(string part) => _part is null || _part == part;

    private static Option<string?> Part()
    {
        var option = new Option<string?>("--part") { Description = $"One part alone: {Reshard} (bytes and bits of resharding), {Upload} (to Azurite), {Saving} (of training time), {Restart} (from memory, from a store). Default: all." };
        option.AcceptOnlyFromAmong(Reshard, Upload, Saving, Restart);
        return option;
    }
}

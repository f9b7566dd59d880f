using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;
using Phi.Cli.Output;

namespace Phi.Cli.Commands;

/// <summary><c>phi checkpoint export</c> and <c>import</c>: between checkpoints and Hugging Face phi folders.</summary>
internal static class CheckpointCommands
{
    private static readonly Dictionary<string, WeightType> Types = new() { ["fp32"] = WeightType.F32, ["bf16"] = WeightType.BF16, ["fp16"] = WeightType.F16 };

    public static Command Create() => new("checkpoint", "Move models between checkpoints and Hugging Face phi folders.") { Export(), Import() };

    private static Command Export()
    {
        var checkpoint = new Option<string>("--checkpoint") { Description = "A committed checkpoint such as …/step-00000300, or the folder that holds several: its newest good one.", Required = true };
        var output = new Option<string>("--output") { Description = "The folder to write; it must not exist, or be empty.", Required = true };
        var dtype = new Option<string>("--dtype") { Description = "fp32, bf16 or fp16.", DefaultValueFactory = _ => "fp32" };
        dtype.AcceptOnlyFromAmong([.. Types.Keys]);
        var shardBytes = Whole("--max-shard-bytes", "Most bytes of weights in one file.", HuggingFaceExport.DefaultShardBytes, 1);
        var format = Format();
        var command = new Command("export", "Write a checkpoint's weights as a Hugging Face phi folder.") { checkpoint, output, dtype, shardBytes, format };
        command.SetAction((parse, cancellationToken) => RunAsync(parse.GetValue(format) == "json", ExportText, (progress, stop) =>
        {
            var (store, manifest) = CheckpointLocation.Find(parse.GetRequiredValue(checkpoint), (step, problem) => Console.Error.WriteLine($"checkpoint of step {step} is not used: {problem.Message}"));
            using var weights = new CheckpointWeights(store, manifest);
            return HuggingFaceExport.Write(weights, manifest.Step, parse.GetRequiredValue(output), Types[parse.GetRequiredValue(dtype)], parse.GetValue(shardBytes), progress, stop);
        }, cancellationToken));
        return command;
    }

    private static Command Import()
    {
        var from = new Option<string>("--from") { Description = "A Hugging Face phi folder: config.json and safetensors.", Required = true };
        var output = new Option<string>("--output") { Description = "The folder of a job's checkpoints: $PHI_HOME/checkpoints/ and the job's spec.checkpoint.store.folder.path. It must hold none yet.", Required = true };
        var shards = Whole("--shards", "Files of weights and moments, at best the job's ranks; a job of any number of ranks loads them.", 1, 1, 1 << 20);
        var block = Whole("--block-size", "The largest block size of the job's zero block, at best; a job of any block size loads them.", ShardLayout.DefaultAlignment, ShardLayout.DefaultAlignment);
        var length = new Option<int?>("--sequence-length") { Description = "Tokens of the job's sequences. Default: the model's max_position_embeddings." };
        var seed = Whole("--seed", "The job's seed.", 1, long.MinValue);
        var format = Format();
        var command = new Command("import", "Make a Hugging Face phi folder the checkpoint that a job starts from.") { from, output, shards, block, length, seed, format };
        command.SetAction((parse, cancellationToken) => RunAsync(parse.GetValue(format) == "json", ImportText, (progress, stop) =>
        {
            using var weights = HuggingFaceWeights.Open(parse.GetRequiredValue(from));
            var options = new ImportOptions { Shards = checked((int)parse.GetValue(shards)), Alignment = parse.GetValue(block), SequenceLength = parse.GetValue(length), Seed = parse.GetValue(seed) };
            return HuggingFaceImport.Write(weights, parse.GetRequiredValue(output), options, TimeProvider.System, progress, stop);
        }, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync<T>(bool json, Func<T, string> text, Func<IProgress<TransferProgress>, CancellationToken, T> work, CancellationToken cancellationToken)
    {
        using var interrupt = new InterruptSignal(cancellationToken);
        var display = new TransferDisplay(TimeProvider.System);
        try
        {
            var summary = await Task.Run(() => work(display, interrupt.Token), CancellationToken.None);
            Console.WriteLine(json ? JsonSerializer.Serialize(summary, PhiJson.Options) : text(summary));
            return ExitCodes.Succeeded;
        }
        catch (Exception e) when (e is CheckpointException or StorageException or ModelFolderException)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
    }

    private static string ExportText(ExportSummary summary) =>
        $"Step {summary.Step} is in {summary.Output}: {summary.Parameters:N0} parameters in {summary.Tensors} tensors of {summary.Type}, {string.Join(", ", summary.Files)}";

    private static string ImportText(ImportSummary summary) =>
        $"Committed {summary.Checkpoint}: {summary.Parameters:N0} parameters in {summary.Shards} shards. A job starts from it with spec.phi:\n  seed: {summary.Seed}\n  model: {{{string.Join(", ", summary.Model.Select(pair => $"{pair.Key}: {pair.Value}"))}}}";

    private static Option<string> Format()
    {
        var format = new Option<string>("--format") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        return format;
    }

    private static Option<long> Whole(string name, string description, long standard, long least, long most = long.MaxValue)
    {
        var option = new Option<long>(name) { Description = $"{description} Default {standard}.", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            // Text that is no number has its own error; reading the value would throw here.
            if (result.Tokens is [var given] && long.TryParse(given.Value, CultureInfo.InvariantCulture, out var number) && (number < least || number > most))
            {
                result.AddError($"{name} is {given.Value}; it must be at least {least}{(most < long.MaxValue ? $" and at most {most}" : "")}.");
            }
        });
        return option;
    }
}

using System.CommandLine;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint import</c>: a Hugging Face phi folder as the checkpoint that a job starts from.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var (folder, options) = (new Argument<string>("folder") { Description = "A Hugging Face phi folder: config.json and safetensors." }, new CheckpointOptions());
        var to = CheckpointOptions.To("Folder or address of a job's checkpoints: $PHI_HOME/checkpoints/ and the job's spec.checkpoint.store.folder.path. It must hold none yet.");
        var shards = CheckpointOptions.Whole("--shards", "Files of weights and moments, at best the job's ranks; a job of any number of ranks loads them.", 1, 1, 1 << 20);
        var block = CheckpointOptions.Whole("--block-size", "The largest block size of the job's zero block, at best; a job of any block size loads them.", ShardLayout.DefaultAlignment, ShardLayout.DefaultAlignment);
        var length = new Option<int?>("--sequence-length") { Description = "Tokens of the job's sequences. Default: the model's max_position_embeddings." };
        var seed = CheckpointOptions.Whole("--seed", "The job's seed.", 1, long.MinValue);
        var command = new Command("import", "Make a Hugging Face phi folder the checkpoint that a job starts from.") { folder, to, shards, block, length, seed };
        options.AddOutput(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var summary = await CheckpointWork.RunAsync("written", options.IsJson(parse), (progress, stop) =>
            {
                using var weights = HuggingFaceWeights.Open(parse.GetRequiredValue(folder));
                var import = new ImportOptions { Shards = checked((int)parse.GetValue(shards)), Alignment = parse.GetValue(block), SequenceLength = parse.GetValue(length), Seed = parse.GetValue(seed) };
                return HuggingFaceImport.Write(weights, parse.GetRequiredValue(to), import, TimeProvider.System, progress, stop);
            }, cancellationToken);
            CheckpointWork.Print(summary, options.IsJson(parse), CheckpointText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

using System.CommandLine;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint export</c>: a checkpoint's weights as a Hugging Face phi folder.</summary>
internal static class ExportCommand
{
    private static readonly Dictionary<string, WeightType> Types = new() { ["fp32"] = WeightType.F32, ["bf16"] = WeightType.BF16, ["fp16"] = WeightType.F16 };

    public static Command Create()
    {
        var (location, options) = (CheckpointOptions.Location(what: "The checkpoint to export, or the newest good one of several"), new CheckpointOptions());
        var to = CheckpointOptions.To("The folder to write; it must not exist, or be empty.");
        var dtype = new Option<string>("--dtype") { Description = "fp32, bf16 or fp16.", DefaultValueFactory = _ => "fp32" };
        dtype.AcceptOnlyFromAmong([.. Types.Keys]);
        var shardBytes = CheckpointOptions.Whole("--max-shard-bytes", "Most bytes of weights in one file.", HuggingFaceExport.DefaultShardBytes, 1);
        var command = new Command("export", "Write a checkpoint's weights as a Hugging Face phi folder.") { location, to, dtype, shardBytes };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            var summary = await CheckpointWork.RunAsync("written", options.IsJson(parse), (progress, stop) =>
            {
                using var store = source.Open();
                var manifest = Good(source, store);
                using var weights = new CheckpointWeights(store, manifest);
                using var use = CheckpointUse.Begin(store, manifest.Step, CheckpointWork.Me, "export", TimeProvider.System, CheckpointWork.Warn);
                return HuggingFaceExport.Write(weights, manifest.Step, parse.GetRequiredValue(to), Types[parse.GetRequiredValue(dtype)], parse.GetValue(shardBytes), progress, stop);
            }, cancellationToken);
            CheckpointWork.Print(summary, options.IsJson(parse), CheckpointText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    /// <summary>Every digest of it is checked.</summary>
    private static CheckpointManifest Good(CheckpointSource source, CheckpointStore store)
    {
        if (source.Step is null)
        {
            return store.NewestGood((step, problem) => CheckpointWork.Warn($"checkpoint of step {step} is not used: {problem.Message}"))
                ?? throw new CheckpointException($"'{source.Name}' holds no good checkpoint; name a folder such as step-00000300, or the one that holds it");
        }

        var manifest = store.ReadManifest(source.Step.Value);
        store.Verify(manifest);
        return manifest;
    }
}

using System.CommandLine;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Transfer;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint copy</c>.</summary>
internal static class CopyCommand
{
    public static Command Create()
    {
        var (location, options) = (CheckpointOptions.Location(what: "The checkpoint to copy, or the newest of several"), new CheckpointOptions());
        var to = CheckpointOptions.To("Folder or address that shall hold the checkpoint, as its step-… there. Another checkpoint of that step is not replaced.");
        var command = new Command("copy", "Copy a checkpoint to another place, checking every digest. An interrupted copy is continued by the same command.") { location, to };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            using var from = source.Open();
            var summary = await CheckpointWork.RunAsync("copied", options.IsJson(parse), (progress, stop) =>
            {
                using var target = new CheckpointStore(CheckpointLocation.Open(parse.GetRequiredValue(to)));
                var manifest = source.Manifest(from, CheckpointWork.Warn);
                using var read = CheckpointUse.Begin(from, manifest.Step, CheckpointWork.Me, "copy", TimeProvider.System, CheckpointWork.Warn);
                // What is there before the manifest must not be taken for what a save left behind.
                using var written = CheckpointUse.Begin(target, manifest.Step, CheckpointWork.Me, "copy", TimeProvider.System, CheckpointWork.Warn);
                return CheckpointCopy.Write(from, manifest, target, progress, stop);
            }, cancellationToken);
            CheckpointWork.Print(summary, options.IsJson(parse), CheckpointText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

using System.CommandLine;
using Phi.Checkpoints.Comparison;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint diff</c>.</summary>
internal static class DiffCommand
{
    public static Command Create()
    {
        var (first, second, options) = (CheckpointOptions.Location("first"), CheckpointOptions.Location("second", "The checkpoint to compare it with"), new CheckpointOptions());
        var command = new Command("diff", "Compare two checkpoints, each saved by any number of ranks: their manifests, and every tensor of weights and moments.") { first, second };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var one = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(first), () => options.Open(parse), cancellationToken);
            var other = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(second), () => options.Open(parse), cancellationToken);
            using var oneStore = one.Open();
            using var otherStore = other.Open();
            var difference = await CheckpointWork.RunAsync("compared", options.IsJson(parse), (progress, stop) =>
                CheckpointComparison.Of(oneStore, one.Manifest(oneStore, CheckpointWork.Warn), otherStore, other.Manifest(otherStore, CheckpointWork.Warn), progress, stop), cancellationToken);
            CheckpointWork.Print(difference, options.IsJson(parse), CheckpointText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

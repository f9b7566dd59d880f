using System.CommandLine;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint verify</c>.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var (location, options) = (CheckpointOptions.Location(), new CheckpointOptions());
        var command = new Command("verify", "Check every digest of a checkpoint, or of all that a place holds. Ends with 7 if one is damaged.") { location };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            using var store = source.Open();
            var report = await CheckpointWork.RunAsync("checked", options.IsJson(parse), (progress, stop) => VerifyReport.Of(source, store, progress, stop), cancellationToken);
            CheckpointWork.Print(report, options.IsJson(parse), CheckpointText.Write);
            return report.IsGood ? ExitCodes.Succeeded : ExitCodes.InvalidData;
        });
        return command;
    }
}

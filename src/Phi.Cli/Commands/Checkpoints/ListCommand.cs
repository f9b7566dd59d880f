using System.CommandLine;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint ls</c>.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var (location, options) = (CheckpointOptions.Location(), new CheckpointOptions(isListing: true));
        var command = new Command("ls", "List checkpoints, newest first: when and by how many ranks they were saved, what keeps them, what is wrong with them.") { location };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            using var store = source.Open();
            var listing = await CheckpointWork.RunAsync("listed", true, (_, _) => CheckpointListing.Of(source, store, TimeProvider.System.GetUtcNow()), cancellationToken);
            CheckpointText.Listing(listing).Write(listing.Checkpoints, options.Format(parse), Console.Out, Console.Error);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

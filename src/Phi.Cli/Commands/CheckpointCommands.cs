using System.CommandLine;
using Phi.Cli.Commands.Checkpoints;

namespace Phi.Cli.Commands;

/// <summary><c>phi checkpoint</c>: what people do with checkpoints.</summary>
internal static class CheckpointCommands
{
    public static Command Create() => new("checkpoint", "List, check, keep, copy, compare and remove checkpoints; export and import models.")
    {
        ListCommand.Create(),
        VerifyCommand.Create(),
        PinCommands.Pin(),
        PinCommands.Unpin(),
        CopyCommand.Create(),
        DiffCommand.Create(),
        PruneCommand.Create(),
        ExportCommand.Create(),
        ImportCommand.Create(),
    };
}

using System.CommandLine;
using System.CommandLine.Help;
using Phi.Cli.Commands;
using Phi.Cli.Output;

namespace Phi.Cli;

/// <summary>
/// Every command, in the order and the groups of the help. One is built only where it is asked for: the options of all take longer to make
/// than a list of jobs to fetch.
/// </summary>
internal static class CommandCatalog
{
    public static IReadOnlyList<CommandEntry> All { get; } =
    [
        new("Jobs", "run", RunCommand.Create),
        new("Jobs", "submit", SubmitCommand.Create),
        new("Jobs", "diff", ManifestDiffCommand.Create),
        new("Jobs", "get", GetCommand.Create),
        new("Jobs", "describe", DescribeCommand.Create),
        new("Jobs", "why", QueueCommands.Why),
        new("Jobs", "logs", LogsCommand.Create),
        new("Jobs", "top", TopCommand.Create),
        new("Jobs", "suspend", SuspendCommands.Suspend),
        new("Jobs", "resume", SuspendCommands.Resume),
        new("Queues and schedules", "queue", QueueCommands.Queue),
        new("Queues and schedules", "cron", CronCommands.Create),
        new("Models and data", "checkpoint", CheckpointCommands.Create),
        new("Models and data", "sample", SampleCommand.Create),
        new("Models and data", "eval", EvalCommand.Create),
        new("Models and data", "data", DataCommands.Create),
        new("Models and data", "render", RenderCommand.Create),
        new("This machine", "up", ClusterCommands.Up),
        new("This machine", "down", ClusterCommands.Down),
        new("This machine", "doctor", DoctorCommand.Create),
        new("This machine", "completion", CompletionCommand.Create),
        new("This machine", "bench", BenchCommand.Create),
        new("Parts of a cluster", "operator", OperatorCommand.Create),
        new("Parts of a cluster", "node", NodeCommand.Create),
        new("Parts of a cluster", "dashboard", DashboardCommand.Create),
        new("Parts of a cluster", "telemetry", TelemetryCommands.Create),
        new("Parts of a cluster", "control-plane", ControlPlaneCommand.Create),
    ];

    /// <param name="name">The one command that is wanted; null, or of no command: all of them.</param>
    public static RootCommand Root(string? name)
    {
        var root = new RootCommand("Trains phi-style models, on this machine or on a Kubernetes cluster.");
        var wanted = All.FirstOrDefault(entry => entry.Name == name);
        foreach (var entry in wanted is null ? All : [wanted])
        {
            root.Add(entry.Create());
        }

        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new GroupedHelp((HelpAction)help.Action!);
        }

        return root;
    }
}

/// <param name="Group">Heading in the help.</param>
internal sealed record CommandEntry(string Group, string Name, Func<Command> Create);

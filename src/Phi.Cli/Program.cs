using System.CommandLine;
using Phi.Cli;
using Phi.Cli.Commands;
using Phi.LocalCluster.Nodes;
using Phi.Telemetry.Store;

var root = new RootCommand("Trains phi-style models, on this machine or on a Kubernetes cluster.")
{
    RunCommand.Create(),
    RenderCommand.Create(),
    JobCommands.Get(),
    JobCommands.Top(),
    JobCommands.Logs(),
    QueueCommands.Why(),
    QueueCommands.Queue(),
    SampleCommand.Create(),
    CheckpointCommands.Create(),
    DataCommands.Create(),
    CronCommands.Create(),
    ClusterCommands.Up(),
    ClusterCommands.Down(),
    OperatorCommand.Create(),
    NodeCommand.Create(),
    DashboardCommand.Create(),
    TelemetryCommands.Create(),
    ControlPlaneCommand.Create(),
};

try
{
    // A prompt may begin with '@', which would name a file of arguments.
    var parse = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
    if (parse.Errors.Count > 0)
    {
        await parse.InvokeAsync(new InvocationConfiguration { Output = Console.Error });
        return ExitCodes.Usage;
    }

    return await parse.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
}
catch (CliException e)
{
    await Console.Error.WriteLineAsync($"phi: {e.Message}");
    return e.ExitCode;
}
catch (Exception e) when (e is NodeException or TelemetryException)
{
    await Console.Error.WriteLineAsync($"phi: {e.Message}");
    return ExitCodes.Usage;
}
catch (OperationCanceledException)
{
    return ExitCodes.Interrupted;
}

using System.CommandLine;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.HuggingFace;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary>Runs a command's work with its progress, prints what came of it, and turns what went wrong into exit codes.</summary>
internal static class CheckpointWork
{
    /// <param name="what">What happens to the bytes, such as "copied".</param>
    public static async Task<T> RunAsync<T>(string what, bool isJson, Func<IProgress<TransferProgress>, CancellationToken, T> work, CancellationToken cancellationToken)
    {
        using var interrupt = new InterruptSignal(cancellationToken);
        try
        {
            return await TransferDisplay.RunAsync(what, isJson, TimeProvider.System, progress => work(progress, interrupt.Token));
        }
        catch (Exception e) when (e is CheckpointException or ModelFolderException or StorageException or SupersededException)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
    }

    public static void Print<T>(T report, bool isJson, Action<T, TextWriter> text)
    {
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(report, PhiJson.Options));
        }
        else
        {
            text(report, Console.Out);
        }
    }

    /// <summary>Who holds a pin or uses a checkpoint, as others read it.</summary>
    public static string Me => $"{Environment.UserName}@{Environment.MachineName}";

    public static void Warn(string message) => Console.Error.WriteLine(message);
}

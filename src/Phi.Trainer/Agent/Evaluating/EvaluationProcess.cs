using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Trainer.Evaluating;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Evaluating;

/// <summary>
/// <c>phi-trainer evaluate</c> as a child at the lowest priority, on the processor alone: the accelerators' memory is the ranks'. It ends when its
/// standard input does.
/// </summary>
internal static class EvaluationProcess
{
    /// <summary>Cancelled, the child and all that it started are killed.</summary>
    /// <param name="onEvent">Hears of what came of it.</param>
    /// <returns>Exit code, and the last that it said.</returns>
    public static async Task<(int ExitCode, string Said)> RunAsync(EvaluateRequest request, Action<RankEvent> onEvent, Action<string> log, CancellationToken ct)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!, ["evaluate"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Of .NET's own threads, which generate and judge, and of libtorch's.
        info.Environment["DOTNET_PROCESSOR_COUNT"] = info.Environment["OMP_NUM_THREADS"] = request.Evaluation.Threads!.Value.ToString(CultureInfo.InvariantCulture);
        info.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        info.Environment["CUDA_VISIBLE_DEVICES"] = "";
        using var process = LowPriority.Start(info);
        await using var ending = ct.Register(() => Kill(process));
        var said = "";
        try
        {
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(request, PhiJson.Options));
            await process.StandardInput.FlushAsync(CancellationToken.None);
        }
        catch (IOException)
        {
            // It has ended already, and says why.
        }

        await Task.WhenAll(ReadEventsAsync(process, onEvent, log), ReadErrorsAsync());
        await process.WaitForExitAsync(CancellationToken.None);
        return (process.ExitCode, said);

        async Task ReadErrorsAsync()
        {
            while (await process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
            {
                log($"[evaluation] {said = line}");
            }
        }
    }

    private static async Task ReadEventsAsync(Process process, Action<RankEvent> onEvent, Action<string> log)
    {
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (RankEvent.Parse(line) is { } value)
            {
                onEvent(value);
            }
            else
            {
                log($"[evaluation] {line}");
            }
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }
}

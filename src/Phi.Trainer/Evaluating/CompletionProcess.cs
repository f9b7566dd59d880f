using System.Diagnostics;

namespace Phi.Trainer.Evaluating;

/// <summary><c>phi-trainer complete</c> as a child; what it says of its errors is kept, and handed on.</summary>
internal sealed class CompletionProcess
{
    private const int MostSaid = 600;

    /// <summary>The end of its standard error.</summary>
    public string Said { get; private set; } = "it said nothing";

    /// <summary>Cancelled, the child is killed.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        await using var ending = ct.Register(() => Kill(process));
        await Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None), ListenAsync(process));
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
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

    private async Task ListenAsync(Process process)
    {
        var said = "";
        while (await process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            await Console.Error.WriteLineAsync(line);
            said = $"{said} {line}".Trim();
            said = said.Length > MostSaid ? said[^MostSaid..] : said;
            Said = said;
        }
    }
}

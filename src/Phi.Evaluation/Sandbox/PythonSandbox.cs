using System.Diagnostics;
using System.Globalization;

namespace Phi.Evaluation.Sandbox;

/// <summary>
/// Runs programs of Python, each in a sandbox of its own. Whoever holds one knows that isolation was tried on this machine, and held.
/// </summary>
public sealed class PythonSandbox
{
    private const string SystemPython = "/usr/bin/python3";
    private const string Script = "sandbox.py";

    /// <summary>Beyond the program's own time: for Python to start on a machine that is busy.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);
    private static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "sandbox");
    private readonly string _python;
    private readonly SandboxLimits _limits;

    private PythonSandbox(string python, SandboxLimits limits) => (_python, _limits) = (python, limits);

    /// <param name="python">A path, or a name on the PATH; null: the machine's own, else python3 on the PATH, which may be a shell script that starts another.</param>
    /// <exception cref="SandboxException">There is no Python, or this machine does not isolate.</exception>
    public static async Task<PythonSandbox> CreateAsync(string? python, SandboxLimits limits, CancellationToken cancellationToken)
    {
        var sandbox = new PythonSandbox(Find(python), limits);
        await SandboxProbe.RunAsync(sandbox, limits, Scripts, cancellationToken);
        return sandbox;
    }

    /// <summary>Cancelling ends the program and all that it started, before this returns.</summary>
    /// <exception cref="SandboxException">The program could not be run in isolation; it was not run.</exception>
    /// <exception cref="EvaluationException">The suite's own code does not run.</exception>
    public async Task<SandboxResult> RunAsync(SandboxProgram program, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = Start();
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var report = SandboxFrames.ReadAsync(process.StandardOutput.BaseStream);
        using var overdue = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        overdue.CancelAfter(_limits.Time + Grace);
        // Its input closed, it kills what it runs, waits for that to be gone, and ends.
        await using var ending = overdue.Token.Register(() => process.StandardInput.Close());
        try
        {
            await SandboxFrames.WriteAsync(process.StandardInput.BaseStream, [Text(_limits), program.Program, program.Reference, program.EntryPoint ?? "", string.Join('\0', program.Tests)], overdue.Token);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has ended already; its report says why.
        }

        var frames = await report;
        process.StandardInput.Close();
        await process.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
        return Result(frames, await error);
    }

    private Process Start()
    {
        // No module but Python's own; the same order of sets in every run.
        var start = new ProcessStartInfo(_python, ["-s", "-S", Path.Combine(Scripts, Script)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        start.Environment["PYTHONHASHSEED"] = "0";
        start.Environment["LANG"] = "C.UTF-8";
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new SandboxException($"{_python} cannot be started: {e.Message}. Install Python 3.9 or newer, or name one with --python.");
        }
    }

    private static SandboxResult Result(IReadOnlyList<byte[]> frames, string error)
    {
        if (frames.Count != 7)
        {
            var said = error.Trim() is { Length: > 0 } text ? text[Math.Max(0, text.Length - 2000)..] : "nothing was said";
            throw new SandboxException($"the sandbox ended without a verdict: {said}. Python 3.9 or newer is needed; name one with --python.");
        }

        var (word, message) = (SandboxFrames.Text(frames[0]), SandboxFrames.Text(frames[1]));
        return new SandboxResult(
            word switch
            {
                "passed" => Verdict.Passed,
                "failed" => Verdict.Failed,
                "raised" => Verdict.Raised,
                "syntax" => Verdict.SyntaxError,
                "ended" => Verdict.Ended,
                "time" => Verdict.TimedOut,
                "memory" => Verdict.OutOfMemory,
                "suite" => throw new EvaluationException($"the suite's own code does not run: {message}"),
                _ => throw new SandboxException(message),
            },
            message,
            double.Parse(SandboxFrames.Text(frames[2]), CultureInfo.InvariantCulture),
            Output(frames[3], frames[4]),
            Output(frames[5], frames[6]));
    }

    private static string Output(byte[] kept, byte[] total)
    {
        var all = long.Parse(SandboxFrames.Text(total), CultureInfo.InvariantCulture);
        var text = SandboxFrames.Text(kept);
        return all > kept.Length ? string.Create(CultureInfo.InvariantCulture, $"{text}\n[cut: {kept.Length} bytes are kept, at least {all} were written]") : text;
    }

    private static string Text(SandboxLimits limits) => string.Create(
        CultureInfo.InvariantCulture,
        $"seconds={limits.Time.TotalSeconds}\ncpuSeconds={Math.Ceiling(limits.Time.TotalSeconds)}\nmemoryBytes={limits.MemoryBytes}\nprocesses={limits.Processes}\nfileBytes={limits.FileBytes}\nworkBytes={limits.WorkBytes}\nopenFiles={limits.OpenFiles}\noutputBytes={limits.OutputBytes}");

    private static string Find(string? python)
    {
        if (python is not null && python.Contains('/', StringComparison.Ordinal))
        {
            return File.Exists(python) ? Path.GetFullPath(python) : throw new SandboxException($"{python} is no file. Name the executable of Python 3.9 or newer with --python.");
        }

        if (python is null && File.Exists(SystemPython))
        {
            return SystemPython;
        }

        var name = python ?? "python3";
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new SandboxException($"{name} is not on the PATH. Install Python 3.9 or newer, or name one with --python.");
    }
}

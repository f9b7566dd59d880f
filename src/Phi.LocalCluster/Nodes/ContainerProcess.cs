using System.Diagnostics;

namespace Phi.LocalCluster.Nodes;

/// <summary>A container as a process that leads a session, and so a process group, of its own.</summary>
internal sealed class ContainerProcess : IDisposable
{
    private readonly Process _process;
    private readonly ContainerLog _log;

    private ContainerProcess(string name, Process process, ContainerLog log, DateTimeOffset startedAt)
    {
        (Name, _process, _log, StartedAt) = (name, process, log, startedAt);
        ProcessId = process.Id;
        Exited = ExitAsync();
    }

    public string Name { get; }
    public int ProcessId { get; }
    public DateTimeOffset StartedAt { get; }

    /// <summary>The exit code; 128 and the signal's number for a process that a signal ended.</summary>
    public Task<int> Exited { get; }

    /// <exception cref="PodException">The program cannot be started.</exception>
    public static ContainerProcess Start(string name, IReadOnlyList<string> command, string workingDirectory, IReadOnlyDictionary<string, string> environment, string logPath, TimeProvider time)
    {
        // Both replace themselves by the command, so the process id is the container's and the group's. Pods use what the machine has, but
        // after the control plane that shares it.
        var start = new ProcessStartInfo("nice", ["-n", "5", "setsid"]) { WorkingDirectory = workingDirectory, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var part in command)
        {
            start.ArgumentList.Add(part);
        }

        start.Environment.Clear();
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var log = new ContainerLog(logPath, time);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Write("stdout", line.Data);
        process.ErrorDataReceived += (_, line) => Write("stderr", line.Data);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            log.Dispose();
            process.Dispose();
            throw new PodException("StartError", $"{command[0]}: {e.Message}");
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ContainerProcess(name, process, log, time.GetUtcNow());

        void Write(string stream, string? line)
        {
            if (line is not null)
            {
                log.Write(stream, line);
            }
        }
    }

    /// <summary>As a kubelet does it: the container's first process is asked, and passes it on as it sees fit.</summary>
    public void Terminate()
    {
        if (!Exited.IsCompleted)
        {
            Signals.Send(ProcessId, Signals.Terminate);
        }
    }

    /// <summary>Ends every process of the container.</summary>
    public void Kill()
    {
        // After the end the id may be another process's.
        if (!Exited.IsCompleted)
        {
            Signals.SendToGroup(ProcessId, Signals.Kill);
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        _log.Dispose();
    }

    private async Task<int> ExitAsync()
    {
        // The leader's end ends the container: what is left of its group goes, and only then do the pipes close.
        while (!_process.HasExited)
        {
            await Task.WhenAny(_process.WaitForExitAsync(), Task.Delay(TimeSpan.FromMilliseconds(100)));
        }

        Signals.SendToGroup(ProcessId, Signals.Kill);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }
}

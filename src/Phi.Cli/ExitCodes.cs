namespace Phi.Cli;

/// <summary>Exit codes of <c>phi</c>. The README's table is this file.</summary>
public static class ExitCodes
{
    public const int Succeeded = 0;
    /// <summary>An unexpected error.</summary>
    public const int Error = 1;
    /// <summary><c>phi diff</c>, as kubectl diff: something would change. Its errors have the other codes.</summary>
    public const int Different = 1;
    /// <summary>Wrong usage: an option, an argument, or a tool that is missing.</summary>
    public const int Usage = 2;
    /// <summary>The manifest cannot be read, or the API server refused it.</summary>
    public const int InvalidManifest = 3;
    /// <summary>The control plane does not start or does not answer.</summary>
    public const int ControlPlaneUnavailable = 4;
    /// <summary>The job was deleted while it was followed.</summary>
    public const int JobDeleted = 5;
    public const int JobFailed = 6;
    /// <summary>Data, a checkpoint or a model folder cannot be read or written, is damaged, or was refused.</summary>
    public const int InvalidData = 7;
    /// <summary>The time of <c>--timeout</c> is over; what was waited for goes on.</summary>
    public const int TimedOut = 8;
    /// <summary><c>phi doctor</c>: a check failed.</summary>
    public const int Unhealthy = 9;
    /// <summary>Interrupted (Ctrl-C): a job of <c>phi run</c> saved a checkpoint and is suspended, one that was waited for goes on; a folder of data and a copy can be continued; an export or import left nothing.</summary>
    public const int Interrupted = 130;
}

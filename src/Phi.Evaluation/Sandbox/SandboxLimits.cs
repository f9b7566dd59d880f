namespace Phi.Evaluation.Sandbox;

/// <summary>What one program may use. What holds each: the README beside.</summary>
public sealed record SandboxLimits
{
    /// <summary>From the start of the program to the end of the test; the time of a processor is bounded by the same, in whole seconds. Default 10 seconds.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Of each process, and of all together. Default 1 GiB.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Processes and threads at a time. Default 16.</summary>
    public int Processes { get; init; } = 16;

    /// <summary>Of one file. Default 16 MiB.</summary>
    public long FileBytes { get; init; } = 16 << 20;

    /// <summary>Of all files together; they are in memory. Default 16 MiB.</summary>
    public long WorkBytes { get; init; } = 16 << 20;

    /// <summary>Of one process. Default 64.</summary>
    public int OpenFiles { get; init; } = 64;

    /// <summary>Kept of standard output, and of standard error. Default 16 KiB.</summary>
    public int OutputBytes { get; init; } = 16 << 10;
}

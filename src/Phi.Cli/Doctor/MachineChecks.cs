using System.Globalization;
using Phi.Cli.Cluster;

namespace Phi.Cli.Doctor;

/// <summary>Whether this machine can train: what <c>phi up</c> and <c>phi run</c> need of it.</summary>
internal sealed class MachineChecks(PhiHome home)
{
    private const long Gigabyte = 1L << 30;
    private const long LeastDisk = 2 * Gigabyte;
    private const long LeastMemory = 2 * Gigabyte;
    private const long LeastShared = 256L << 20;

    public IEnumerable<CheckResult> Run() => [Runtime(), Trainer(), SharedMemory(), Disk(), Memory(MemoryInfo())];

    private static CheckResult Runtime() => CheckResult.Ok(".NET", $"{Environment.Version} runs this; {Environment.ProcessorCount} processors");

    private static CheckResult Trainer()
    {
        try
        {
            return CheckResult.Ok("trainer", TrainerTool.Executable());
        }
        catch (CliException e)
        {
            return CheckResult.Fail("trainer", e.Message, "run ./phi once in a checkout, which builds it, or set PHI_TRAINER_PATH");
        }
    }

    /// <summary>Ranks of one machine exchange gradients through it.</summary>
    private static CheckResult SharedMemory() => Directory.Exists("/dev/shm")
        ? Space("/dev/shm", "/dev/shm", LeastShared, "give it more: mount -o remount,size=2G /dev/shm, or --shm-size of a container")
        : CheckResult.Fail("/dev/shm", "is not there", "mount a tmpfs there: ranks of one machine talk through it");

    private CheckResult Disk()
    {
        var there = new DirectoryInfo(home.Root);
        while (there is { Exists: false, Parent: { } parent })
        {
            there = parent;
        }

        return Space("disk", there.FullName, LeastDisk, $"free some, or keep the state elsewhere: PHI_HOME, now {home.Root}");
    }

    private static CheckResult Space(string check, string path, long least, string remedy)
    {
        try
        {
            var free = new DriveInfo(path).AvailableFreeSpace;
            var message = $"{Size(free)} free at {path}";
            return free >= least ? CheckResult.Ok(check, message) : CheckResult.Warn(check, $"{message}; {Size(least)} are little enough", remedy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CheckResult.Fail(check, $"{path}: {e.Message}", remedy);
        }
    }

    internal static CheckResult Memory(string meminfo)
    {
        var line = meminfo.Split('\n').FirstOrDefault(one => one.StartsWith("MemAvailable:", StringComparison.Ordinal));
        if (line is null || !long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out var kilobytes))
        {
            return CheckResult.Skip("memory", "/proc/meminfo does not tell");
        }

        var free = kilobytes << 10;
        return free >= LeastMemory
            ? CheckResult.Ok("memory", $"{Size(free)} available")
            : CheckResult.Warn("memory", $"{Size(free)} available; the control plane and a small job take {Size(LeastMemory)}", "end something else, or train with fewer ranks: phi up --slots 2");
    }

    private static string MemoryInfo() => File.Exists("/proc/meminfo") ? File.ReadAllText("/proc/meminfo") : "";

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)Gigabyte:0.0} GiB");
}

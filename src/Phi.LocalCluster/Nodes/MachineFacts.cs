using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.Nodes;

/// <summary>What a node reports of its machine, read from the kernel.</summary>
internal static class MachineFacts
{
    private const int MaximumPods = 110;

    public static string Architecture => RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    /// <summary>NVIDIA devices that the driver shows.</summary>
    public static int Gpus => Directory.EnumerateFiles("/dev", "nvidia*").Count(file => int.TryParse(Path.GetFileName(file)["nvidia".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _));

    /// <summary>cpu, memory, ephemeral-storage and pods, as quantities.</summary>
    public static JsonObject Capacity(string stateDirectory) => new()
    {
        ["cpu"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        ["memory"] = string.Create(CultureInfo.InvariantCulture, $"{MemoryBytes("MemTotal") / 1024}Ki"),
        ["ephemeral-storage"] = string.Create(CultureInfo.InvariantCulture, $"{new DriveInfo(stateDirectory).TotalSize / 1024}Ki"),
        ["pods"] = MaximumPods.ToString(CultureInfo.InvariantCulture),
    };

    public static MachineLoad Load(string stateDirectory)
    {
        // The fourth field of loadavg is the runnable and the existing kernel scheduling entities.
        var tasks = File.ReadAllText("/proc/loadavg").Split(' ')[3].Split('/')[1];
        return new MachineLoad(
            MemoryBytes("MemAvailable"),
            new DriveInfo(stateDirectory).AvailableFreeSpace,
            long.Parse(File.ReadAllText("/proc/sys/kernel/pid_max"), CultureInfo.InvariantCulture) - long.Parse(tasks, CultureInfo.InvariantCulture));
    }

    public static JsonObject NodeInfo() => new()
    {
        ["kubeletVersion"] = "v1.34.0+phi",
        ["osImage"] = RuntimeInformation.OSDescription,
        ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
        ["containerRuntimeVersion"] = $"{NodeRegistration.Runtime}1",
        ["operatingSystem"] = "linux",
        ["architecture"] = Architecture,
        ["machineID"] = "",
        ["systemUUID"] = "",
        ["bootID"] = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(),
        ["kubeProxyVersion"] = "",
    };

    private static long MemoryBytes(string field)
    {
        var line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}

using System.Diagnostics;
using System.Globalization;

namespace Phi.Benchmarks.Benches;

/// <summary>Two network namespaces joined by a virtual cable whose rate can be limited. Gone when disposed.</summary>
internal sealed class NetworkLab : IAsyncDisposable
{
    private readonly string[] _names = [.. "ab".Select(side => string.Create(CultureInfo.InvariantCulture, $"phi-{Environment.ProcessId}-{side}"))];

    private NetworkLab()
    {
    }

    public static async Task<NetworkLab> CreateAsync()
    {
        var lab = new NetworkLab();
        try
        {
            foreach (var name in lab._names)
            {
                await IpAsync("netns", "add", name);
                await IpAsync("-n", name, "link", "set", "lo", "up");
            }

            await IpAsync("link", "add", "cable", "netns", lab._names[0], "type", "veth", "peer", "name", "cable", "netns", lab._names[1]);
            foreach (var (side, name) in lab._names.Index())
            {
                await IpAsync("-n", name, "address", "add", $"{Address(side)}/24", "dev", "cable");
                await IpAsync("-n", name, "link", "set", "cable", "up");
            }

            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public static string Address(int node) => string.Create(CultureInfo.InvariantCulture, $"10.77.0.{node + 1}");

    public IReadOnlyList<string> Enter(int node) => ["ip", "netns", "exec", _names[node]];

    /// <summary>No limit but the machine's.</summary>
    public async Task UnlimitAsync()
    {
        foreach (var name in _names)
        {
            await RunAsync("tc", "-n", name, "qdisc", "replace", "dev", "cable", "root", "noqueue");
        }
    }

    /// <summary>In each direction.</summary>
    public async Task LimitAsync(int megabitsPerSecond)
    {
        foreach (var name in _names)
        {
            await RunAsync("tc", "-n", name, "qdisc", "replace", "dev", "cable", "root", "tbf", "rate", string.Create(CultureInfo.InvariantCulture, $"{megabitsPerSecond}mbit"), "burst", "256kb", "latency", "50ms");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _names.Where(name => File.Exists($"/run/netns/{name}")))
        {
            await IpAsync("netns", "delete", name);
        }
    }

    private static Task IpAsync(params string[] arguments) => RunAsync("ip", arguments);

    private static async Task RunAsync(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            var error = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
            {
                throw new BenchException($"'{command} {string.Join(' ', arguments)}' failed: {error.Trim()}");
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new BenchException($"'{command}' is not installed; on Debian: apt-get install iproute2");
        }
    }
}

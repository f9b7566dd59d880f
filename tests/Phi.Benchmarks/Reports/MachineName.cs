namespace Phi.Benchmarks.Reports;

/// <summary>Processor and cores, as the figures' readers need them.</summary>
internal static class MachineName
{
    public static string Get()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
        return $"{model}, {Environment.ProcessorCount} cores";
    }
}

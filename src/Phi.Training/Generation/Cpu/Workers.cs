namespace Phi.Training.Generation.Cpu;

/// <summary>Splits work over the processor's cores. What is computed does not depend on the split.</summary>
internal static class Workers
{
    /// <summary>Multiplications below which another thread costs more than it takes over.</summary>
    private const long Least = 1 << 16;

    /// <summary>Calls the action for consecutive ranges that together are [0, count).</summary>
    /// <param name="work">Multiplications of all.</param>
    public static void Run(int count, long work, Action<int, int> action)
    {
        var parts = (int)Math.Clamp(work / Least, 1, Math.Min(count, Environment.ProcessorCount));
        if (parts == 1)
        {
            action(0, count);
        }
        else
        {
            Parallel.For(0, parts, part => action(count * part / parts, count * (part + 1) / parts));
        }
    }
}

namespace Phi.Training.Kernels;

/// <summary>
/// Random numbers as a function of their place: (seed, stream, index) gives the same value whatever was drawn before, on whatever rank.
/// The mix is SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014), applied to each coordinate in turn.
/// </summary>
public static class CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    public static ulong Bits(ulong seed, ulong stream, ulong index) => Mix(Mix(Mix(seed + Golden) ^ (stream + Golden)) ^ (index * Golden));

    /// <summary>In [0, count).</summary>
    public static long Below(ulong seed, ulong stream, ulong index, long count) =>
        (long)Math.BigMul(Bits(seed, stream, index), (ulong)count, out _);

    /// <summary>Standard normal (Box-Muller on two draws).</summary>
    public static double Normal(ulong seed, ulong stream, ulong index)
    {
        var radius = Uniform(Bits(seed, stream, 2 * index));
        var angle = Uniform(Bits(seed, stream, 2 * index + 1));
        return Math.Sqrt(-2 * Math.Log(radius)) * Math.Cos(2 * Math.PI * angle);
    }

    /// <summary>In (0, 1].</summary>
    private static double Uniform(ulong bits) => ((bits >> 11) + 1) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

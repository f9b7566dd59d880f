namespace Phi.Planning.Simulation;

/// <summary>Factors around 1 with a given spread, never below a half: the same sequence for the same seed.</summary>
internal struct Jitter(double spread, ulong seed)
{
    private ulong _state = seed;

    /// <summary>The sum of four uniform values is normal enough, and bounded.</summary>
    public double Next()
    {
        if (spread <= 0)
        {
            return 1;
        }

        var bits = Bits();
        var sum = 0.0;
        for (var part = 0; part < 4; part++)
        {
            sum += (bits >> (16 * part) & 0xffff) / 65536.0 - 0.5;
        }

        return Math.Max(0.5, 1 + spread * sum * Math.Sqrt(3));
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => (Bits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>SplitMix64.</summary>
    private ulong Bits()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

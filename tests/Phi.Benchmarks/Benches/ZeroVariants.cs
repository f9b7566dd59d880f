using Phi.Training.Zero;

namespace Phi.Benchmarks.Benches;

/// <summary>ZeRO-3, each technique of ZeRO++ alone, and all together.</summary>
internal static class ZeroVariants
{
    public const string Plain = "ZeRO-3";
    public const string AllOn = "ZeRO++";
    public const string WithoutSecondary = "ZeRO++ without hpZ";

    public static IReadOnlyList<(string Name, ZeroConfiguration Zero)> Of(int ranksPerNode)
    {
        var zero = new ZeroConfiguration { RanksPerNode = ranksPerNode };
        var gradients = new GradientQuantization();
        return
        [
            (Plain, zero),
            ("qwZ", zero with { WeightBlock = 256 }),
            ("hpZ", zero with { SecondaryShards = true }),
            ("qgZ", zero with { Gradients = gradients }),
            (WithoutSecondary, zero with { WeightBlock = 256, Gradients = gradients }),
            (AllOn, zero with { WeightBlock = 256, SecondaryShards = true, Gradients = gradients }),
        ];
    }
}

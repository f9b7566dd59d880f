using Phi.Benchmarks.Workers;
using Phi.Planning.Hardware;
using Phi.Planning.Shapes;
using Phi.Planning.Simulation;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// Steps of the lab as <c>phi plan</c> computes them. What the machine computes is taken from runs without a rate limit, one of ZeRO-3 and one with
/// quantisers, which share the cores with the model; what a limited network makes of it is predicted.
/// </summary>
internal sealed class LabPrediction
{
    /// <summary>Bytes a second through the cable without a limit: more than the ranks ask for.</summary>
    private const double Unlimited = 1.5e9;
    private const double Slowest = 1e8;
    private const double Fastest = 1e14;
    private readonly WorkerConfiguration _configuration;
    private readonly int _ranksPerNode;
    private readonly double _plainFlops;
    private readonly double _quantizedFlops;

    /// <param name="plainSeconds">A step of ZeRO-3 without a limit, and <paramref name="quantizedSeconds"/> one with <paramref name="quantized"/>.</param>
    public LabPrediction(WorkerConfiguration configuration, int ranksPerNode, double plainSeconds, double quantizedSeconds, ZeroConfiguration quantized)
    {
        (_configuration, _ranksPerNode) = (configuration, ranksPerNode);
        _plainFlops = Flops(configuration.Zero, plainSeconds);
        _quantizedFlops = Flops(quantized, quantizedSeconds);
    }

    public double Seconds(ZeroConfiguration zero, double megabitsPerSecond) =>
        StepSimulator.Run(Shape(zero), Machine(zero.WeightBlock > 0 || zero.Gradients is not null ? _quantizedFlops : _plainFlops, megabitsPerSecond * 1e6 / 8)).Seconds;

    /// <summary>The speed of compute with which a step without a limit takes as long as it did.</summary>
    private double Flops(ZeroConfiguration zero, double seconds)
    {
        var (slow, fast) = (Slowest, Fastest);
        for (var halving = 0; halving < 60; halving++)
        {
            var middle = Math.Sqrt(slow * fast);
            (slow, fast) = StepSimulator.Run(Shape(zero), Machine(middle, Unlimited)).Seconds > seconds ? (middle, fast) : (slow, middle);
        }

        return slow;
    }

    private Machine Machine(double flops, double bytesPerSecond) => new()
    {
        Accelerator = AcceleratorCatalog.Find("cpu")! with { PeakFlops = flops, Utilization = 1 }, PerNode = _ranksPerNode, NetworkBandwidth = bytesPerSecond, NetworkEfficiency = 1, NetworkLatency = 100e-6, LinkLatency = 50e-6,
    };

    private JobShape Shape(ZeroConfiguration zero) => new()
    {
        Model = _configuration.Model, Ranks = _configuration.WorldSize, RanksPerNode = _ranksPerNode, GroupSize = _ranksPerNode, GlobalBatch = _configuration.GlobalBatch, MicroBatch = _configuration.MicroBatch,
        ElementBytes = 2, Stage = zero.Stage, WeightBlock = zero.WeightBlock, SecondaryShards = zero.SecondaryShards, Prefetch = zero.Prefetch,
        Gradients = zero.Gradients is { } gradients ? new GradientShape(gradients.IntraBits, gradients.InterBits, gradients.BlockSize, gradients.ErrorFeedback) : null,
    };
}

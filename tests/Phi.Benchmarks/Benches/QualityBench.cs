using System.CommandLine;
using System.Globalization;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Phi.Training.Model;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// Held-out loss of ZeRO++ (qwZ, hpZ and qgZ on two nodes of two ranks, which here share this machine) against the same run unquantised:
/// same seed, so the same initial weights, samples and held-out windows.
/// </summary>
internal sealed class QualityBench : IBench
{
    private const int Ranks = 4;
    private const int RanksPerNode = 2;
    private const int Seeds = 3;
    private const int FullSteps = 400;
    private const int FewestJudgedSteps = 400;
    /// <summary>How far the ratio of the losses may be from 1.</summary>
    private const double Margin = 0.005;
    private const string Quantized = "ZeRO++";
    private const string WithFeedback = "ZeRO++ with error feedback";
    private readonly Option<int> _stepsOption = new("--steps") { Description = $"Steps of each run; below {FewestJudgedSteps} nothing is judged.", DefaultValueFactory = _ => FullSteps };
    private int _steps = FullSteps;

    public QualityBench() => _stepsOption.Validators.Add(result =>
    {
        if (result.Tokens is [var given] && int.TryParse(given.Value, CultureInfo.InvariantCulture, out var steps) && steps < 1)
        {
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"--steps is {steps}; it must be at least 1."));
        }
    });

    /// <summary>Small enough that the nine runs take about twenty minutes on two cores.</summary>
    private static WorkerConfiguration Run { get; } = new()
    {
        Model = ModelConfiguration.PhiTiny,
        GlobalBatch = 8, MicroBatch = 2, WarmupSteps = 0, HeldOutFraction = 0.05,
    };

    public string Name => "quality";

    public string Description => "held-out loss of ZeRO++, with and without error feedback, against the unquantised run";

    public IReadOnlyList<Option> Options => [_stepsOption];

    public void Configure(ParseResult parsed) => _steps = parsed.GetValue(_stepsOption);

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var plain = new ZeroConfiguration { RanksPerNode = RanksPerNode };
        var quantized = plain with { WeightBlock = 256, SecondaryShards = true, Gradients = new GradientQuantization() };
        (string Name, ZeroConfiguration Zero)[] variants = [(Quantized, quantized), (WithFeedback, quantized with { Gradients = new GradientQuantization(ErrorFeedback: true) })];
        var metrics = new List<Metric>();
        var ratios = variants.ToDictionary(variant => variant.Name, _ => new List<double>());
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var baseline = await LossAsync(ZeroVariants.Plain, plain, seed);
            metrics.Add(new Metric($"seed {seed}: {ZeroVariants.Plain}, held-out loss", baseline, "nats/token"));
            foreach (var (name, zero) in variants)
            {
                var loss = await LossAsync(name, zero, seed);
                ratios[name].Add(loss / baseline);
                metrics.Add(new Metric($"seed {seed}: {name}, held-out loss", loss, "nats/token"));
                metrics.Add(Judge($"seed {seed}: {name} / {ZeroVariants.Plain}", loss / baseline));
            }
        }

        return [.. metrics, .. variants.Select(variant => Judge($"mean of {Seeds} seeds: {variant.Name} / {ZeroVariants.Plain}", ratios[variant.Name].Average()))];
    }

    private Metric Judge(string name, double ratio) =>
        _steps >= FewestJudgedSteps ? Metric.Near(name, ratio, "of its held-out loss", 1, Margin) : new Metric(name, ratio, "of its held-out loss");

    private async Task<double> LossAsync(string name, ZeroConfiguration zero, int seed)
    {
        await Console.Error.WriteLineAsync($"seed {seed} of {Seeds}: {name}, {_steps} steps …");
        var results = await WorkerRun.RunAsync(WorkerRun.OnOneMachine(Run with { Zero = zero, Seed = seed, Steps = _steps }, Ranks));
        return results[0].EvaluationLoss;
    }
}

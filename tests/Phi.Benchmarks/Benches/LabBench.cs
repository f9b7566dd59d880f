using System.CommandLine;
using System.Globalization;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Phi.Training.Model;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Benches;

/// <summary>Two nodes of two ranks, each node a network namespace, with a rate limit between them: bytes across nodes and step time by technique.</summary>
internal sealed class LabBench : IBench
{
    private const int Ranks = 4;
    private const int RanksPerNode = 2;

    /// <summary>Deep, so that the layers which our ZeRO-3 need not gather twice (the ring of slots still holds them) count for little.</summary>
    private static ModelConfiguration Model { get; } = ModelConfiguration.PhiTiny with { Layers = 48, HiddenSize = 192, MlpSize = 768, SequenceLength = 64 };

    private const int OverlapRate = 1000;
    private const string FarAhead = $"{ZeroVariants.AllOn}, prefetch 2";
    private readonly Option<int[]> _ratesOption = new("--rate") { Description = "Mbit/s between the nodes; may be given again.", DefaultValueFactory = _ => [100, 200, 1000] };
    private int[] _rates = [100, 200, 1000];

    public string Name => "lab";

    public string Description => "two network namespaces as two nodes of two ranks with a rate limit between them (needs root)";

    public IReadOnlyList<Option> Options => [_ratesOption];

    public void Configure(ParseResult parsed) => _rates = parsed.GetValue(_ratesOption)!;

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        if (Environment.UserName != "root")
        {
            throw new BenchException("the lab makes network namespaces, which needs root; run: sudo ./phi bench lab");
        }

        var metrics = new List<Metric>();
        await using var lab = await NetworkLab.CreateAsync();
        var variants = ZeroVariants.Of(RanksPerNode).ToDictionary(variant => variant.Name, variant => variant.Zero);
        variants[FarAhead] = variants[ZeroVariants.AllOn] with { Prefetch = 2 };
        foreach (var rate in _rates)
        {
            // Right before: how fast the cores are changes on a machine that is shared.
            await lab.UnlimitAsync();
            var (plain, quantized) = (Seconds(await RunAsync(lab, variants[ZeroVariants.Plain])), Seconds(await RunAsync(lab, variants[ZeroVariants.AllOn])));
            var prediction = new LabPrediction(Configuration(0, variants[ZeroVariants.Plain]), RanksPerNode, plain, quantized, variants[ZeroVariants.AllOn]);
            await lab.LimitAsync(rate);
            var results = new Dictionary<string, IReadOnlyList<WorkerResult>>();
            foreach (var (name, zero) in variants.Where(variant => variant.Key == FarAhead ? rate == OverlapRate : rate == 100 || variant.Key is ZeroVariants.Plain or ZeroVariants.AllOn))
            {
                results[name] = await RunAsync(lab, zero);
            }

            metrics.AddRange(Figures(rate, results));
            metrics.AddRange(results.Select(result => Metric.Near(
                string.Create(CultureInfo.InvariantCulture, $"{rate} Mbit/s: {result.Key}, step as phi plan predicts it / measured"), prediction.Seconds(variants[result.Key], rate) / Seconds(result.Value), "times", 1, 0.15)));
        }

        return metrics;
    }

    private static IEnumerable<Metric> Figures(int rate, Dictionary<string, IReadOnlyList<WorkerResult>> results)
    {
        var baseline = results[ZeroVariants.Plain];
        var at = string.Create(CultureInfo.InvariantCulture, $"{rate} Mbit/s");
        foreach (var (name, ranks) in results)
        {
            yield return new Metric($"{at}: {name}, step", Seconds(ranks), "s");
        }

        var speedup = Seconds(baseline) / Seconds(results[ZeroVariants.AllOn]);
        yield return rate == 100 ? Metric.AtLeast($"{at}: ZeRO++ faster than ZeRO-3", speedup, "times", 2.2) : new Metric($"{at}: ZeRO++ faster than ZeRO-3", speedup, "times");
        if (rate == 100)
        {
            foreach (var (name, ranks) in results.Where(pair => pair.Key != ZeroVariants.Plain))
            {
                foreach (var (counter, ratio) in new[] { ("transport", Transport(ranks) / Transport(baseline)), ("interface", Interface(ranks) / Interface(baseline)) })
                {
                    var figure = $"bytes across nodes, {name} / ZeRO-3, by the {counter}";
                    yield return name switch
                    {
                        ZeroVariants.AllOn => Metric.AtMost(figure, ratio, "of its bytes", 0.26),
                        ZeroVariants.WithoutSecondary => Metric.AtMost(figure, ratio, "of its bytes", 0.43),
                        _ => new Metric(figure, ratio, "of its bytes"),
                    };
                }
            }

            yield return new Metric("bytes across nodes per step, ZeRO-3, by the transport", Transport(baseline) / 1e6, "MB");
        }

        foreach (var (name, ranks) in results.Where(pair => pair.Key is ZeroVariants.Plain or ZeroVariants.AllOn or FarAhead))
        {
            var hidden = 1 - ranks.Sum(rank => rank.ExposedSeconds) / ranks.Sum(rank => rank.CommunicationSeconds);
            yield return name == FarAhead
                ? Metric.AtLeast($"{at}: {name}, communication hidden behind compute", hidden, "of its time", 0.7)
                : new Metric($"{at}: {name}, communication hidden behind compute", hidden, "of its time");
        }
    }

    private static Task<IReadOnlyList<WorkerResult>> RunAsync(NetworkLab lab, ZeroConfiguration zero) => WorkerRun.RunAsync(
        [
            .. Enumerable.Range(0, Ranks).Select(rank => Configuration(rank, zero)),
        ],
        lab.Enter);

    private static WorkerConfiguration Configuration(int rank, ZeroConfiguration zero) => new()
    {
        Rank = rank, WorldSize = Ranks, NodeRank = rank / RanksPerNode, MasterAddress = NetworkLab.Address(0), MasterPort = 29500, BindAddress = NetworkLab.Address(rank / RanksPerNode),
        Model = Model, Precision = ComputePrecision.Bf16, Zero = zero, GlobalBatch = 16, MicroBatch = 4, Steps = 4,
    };

    private static double Seconds(IReadOnlyList<WorkerResult> ranks) => ranks.Max(rank => rank.StepSeconds);

    private static double Transport(IReadOnlyList<WorkerResult> ranks) => ranks.Sum(rank => rank.InterBytes);

    /// <summary>Each node's first rank tells what its interfaces sent.</summary>
    private static double Interface(IReadOnlyList<WorkerResult> ranks) => ranks.Where((_, rank) => rank % RanksPerNode == 0).Sum(rank => rank.InterfaceBytes);
}

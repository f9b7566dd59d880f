using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// One node, shared memory: tokens per second against a plain TorchSharp loop on the same cores; memory of stage 3 against stage 0. Then two
/// nodes of two ranks on this machine, joined by its loopback: step time and bytes of each technique.
/// </summary>
internal sealed class ZeroBench : IBench
{
    private const int Rounds = 3;
    private const int RanksPerNode = 2;

    public string Name => "zero";

    public string Description => "one node: speed against a plain TorchSharp loop, memory by stage; step time and bytes by technique";

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var cores = Environment.ProcessorCount;
        var configuration = new WorkerConfiguration { GlobalBatch = 4 * cores, MicroBatch = 4 };
        var plain = configuration with { IsPlain = true, Threads = cores };
        var variants = ZeroVariants.Of(ranksPerNode: 0).Where(variant => variant.Name is ZeroVariants.Plain or ZeroVariants.AllOn).ToList();
        var times = new Dictionary<string, List<double>>();
        for (var round = 0; round < Rounds; round++)
        {
            // Side by side in each round, so that a machine that slows down slows both.
            Add("plain", await WorkerRun.RunAsync([plain]));
            foreach (var (name, zero) in variants)
            {
                Add(name, await WorkerRun.RunAsync(WorkerRun.OnOneMachine(configuration with { Zero = zero }, cores)));
            }
        }

        var tokens = configuration.GlobalBatch * configuration.Model.SequenceLength;
        var states = new List<(int Stage, WorkerResult Result)>();
        foreach (var stage in new[] { 0, 3 })
        {
            states.Add((stage, (await WorkerRun.RunAsync(WorkerRun.OnOneMachine(configuration with { GlobalBatch = 16, Steps = 1, WarmupSteps = 1, Zero = new ZeroConfiguration { Stage = stage } }, 4)))[0]));
        }

        return
        [
            new Metric($"plain TorchSharp loop, {cores} threads", tokens / Median("plain"), "tokens/s"),
            .. variants.Select(variant => new Metric($"{variant.Name}, {cores} ranks", tokens / Median(variant.Name), "tokens/s")),
            Metric.AtLeast("ZeRO-3 / plain loop", Ratio(ZeroVariants.Plain), "of its tokens/s", 0.97),
            Metric.AtLeast("ZeRO++ / plain loop", Ratio(ZeroVariants.AllOn), "of its tokens/s", 0.95),
            Metric.AtMost("parameters, gradients, optimizer states of a rank: stage 3 at 4 ranks / stage 0", (double)states[1].Result.StateBytes / states[0].Result.StateBytes, "of its bytes", 0.30),
            new Metric("the same with gathered weights and their gradients", (double)(states[1].Result.StateBytes + states[1].Result.SlotBytes) / (states[0].Result.StateBytes + states[0].Result.SlotBytes), "of its bytes"),
            .. await TechniquesAsync(configuration),
        ];

        void Add(string name, IReadOnlyList<WorkerResult> results)
        {
            times.TryAdd(name, []);
            times[name].Add(results.Max(result => result.StepSeconds));
        }

        double Median(string name) => times[name].Order().ElementAt(Rounds / 2);

        double Ratio(string name) => times["plain"].Zip(times[name], (a, b) => a / b).Order().ElementAt(Rounds / 2);
    }
    private static async Task<IReadOnlyList<Metric>> TechniquesAsync(WorkerConfiguration configuration)
    {
        var metrics = new List<Metric>();
        foreach (var (name, zero) in ZeroVariants.Of(RanksPerNode))
        {
            var ranks = WorkerRun.OnOneMachine(configuration with { GlobalBatch = 16, Steps = 4, Precision = ComputePrecision.Bf16, Zero = zero }, 2 * RanksPerNode);
            var results = await WorkerRun.RunAsync([.. ranks.Select(rank => rank with { NodeRank = rank.Rank / RanksPerNode })]);
            metrics.Add(new Metric($"two nodes of two ranks: {name}, step", results.Max(result => result.StepSeconds), "s"));
            metrics.Add(new Metric($"two nodes of two ranks: {name}, across nodes", results.Sum(result => result.InterBytes) / 1e6, "MB a step"));
            metrics.Add(new Metric($"two nodes of two ranks: {name}, within nodes", results.Sum(result => result.IntraBytes) / 1e6, "MB a step"));
        }

        return metrics;
    }
}

using System.CommandLine;
using System.Globalization;
using Phi.Benchmarks.Reports;
using Phi.Chaos;
using Phi.Chaos.Faults;

namespace Phi.Benchmarks.Benches;

/// <summary>Faults of every kind against a job that trains, and how long it takes to be back. See tests/Phi.Chaos/README.md.</summary>
internal sealed class ChaosBench : IBench
{
    private const int Nodes = 4;

    /// <summary>Of training between two faults, and what a fault costs; the rest is a margin for the last ones.</summary>
    private const int StepsPerFault = 60;
    private readonly Option<int> _faultsOption = new("--faults") { Description = "How many; each kind comes about as often.", DefaultValueFactory = _ => 104 };
    private readonly Option<int> _seedOption = new("--seed") { Description = "Of the order, and of what each fault hits.", DefaultValueFactory = _ => 1 };
    private int _faults = 104;
    private int _seed = 1;

    public string Name => "chaos";

    public string Description => "faults of every kind against a training job: recovery times, steps lost, losses bit for bit";

    public IReadOnlyList<Option> Options => [_faultsOption, _seedOption];

    public void Configure(ParseResult parsed)
    {
        (_faults, _seed) = (parsed.GetValue(_faultsOption), parsed.GetValue(_seedOption));
        if (_faults < 1)
        {
            throw new BenchException($"--faults is {_faults}; it must be at least 1");
        }
    }

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi-bench-chaos-").FullName;
        try
        {
            var corpus = Path.Combine(folder, "corpus.txt");
            await File.WriteAllTextAsync(corpus, string.Concat(Enumerable.Range(0, 4000).Select(i => string.Create(CultureInfo.InvariantCulture, $"the gang of {i % 13} ranks gathers {i * 7 % 31} shards and reduces gradients\n"))));
            await using var cluster = new ChaosCluster(Path.Combine(folder, "home"), Executables.Required(Executables.Cli), Path.GetDirectoryName(Executables.Required(Executables.Trainer))!);
            await cluster.StartAsync(Nodes, CancellationToken.None);
            return await MeasureAsync(cluster, corpus);
        }
        catch (ChaosException e)
        {
            throw new BenchException(e.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<Metric>> MeasureAsync(ChaosCluster cluster, string corpus)
    {
        var random = new Random(_seed);
        var run = new ChaosRun(cluster, random, Console.Error.WriteLine);
        var faults = Draw(random);
        var steps = StepsPerFault * (faults.Count + 5L);
        var undisturbed = await run.UndisturbedAsync("undisturbed", corpus, steps, CancellationToken.None);
        var (outcomes, losses) = await run.DisturbedAsync("disturbed", corpus, steps, faults, CancellationToken.None);
        var same = undisturbed.Count(pair => losses.TryGetValue(pair.Key, out var loss) && BitConverter.DoubleToInt64Bits(loss) == BitConverter.DoubleToInt64Bits(pair.Value));
        return
        [
            Metric.AtLeast("faults", outcomes.Count, "faults", _faults),
            Metric.AtLeast($"steps whose loss has the undisturbed run's bits, of {steps}", same, "steps", steps),
            Metric.AtMost("steps more than the undisturbed run's", losses.Count - undisturbed.Count, "steps", 0),
            .. outcomes.GroupBy(outcome => outcome.Fault).SelectMany(Figures),
        ];
    }

    private static IEnumerable<Metric> Figures(IGrouping<Fault, FaultOutcome> of)
    {
        var (name, seconds) = (of.Key.Name, of.Select(outcome => outcome.Seconds).Order().ToList());
        yield return new Metric($"{name} ({seconds.Count}): next new step, median", seconds[seconds.Count / 2], "s");
        double? most = of.Key == FaultCatalog.RankKilled ? 10 : of.Key == FaultCatalog.NodeStopped ? 30 : null;
        yield return most is { } target ? Metric.AtMost($"{name}: next new step, worst", seconds[^1], "s", target) : new Metric($"{name}: next new step, worst", seconds[^1], "s");
        if (of.Key.Charge != Charge.None)
        {
            var lost = (double)of.Max(outcome => outcome.LostSteps);
            yield return of.Key.MostLostSteps is { } limit ? Metric.AtMost($"{name}: steps done again, worst", lost, "steps", limit) : new Metric($"{name}: steps done again, worst", lost, "steps");
        }
        else
        {
            var worst = of.Max(outcome => outcome.ReconciledSeconds);
            yield return of.Key == FaultCatalog.OperatorKilled ? Metric.AtMost($"{name}: reconciling again, worst", worst, "s", 10) : new Metric($"{name}: reconciling again, worst", worst, "s");
        }
    }

    /// <summary>Every kind in turn, each round in an order of its own.</summary>
    private List<Fault> Draw(Random random)
    {
        var faults = new List<Fault>();
        while (faults.Count < _faults)
        {
            var round = FaultCatalog.All.ToArray();
            random.Shuffle(round);
            faults.AddRange(round.Take(_faults - faults.Count));
        }

        return faults;
    }
}

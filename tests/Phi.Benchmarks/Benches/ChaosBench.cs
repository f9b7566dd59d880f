using System.CommandLine;
using System.Globalization;
using Phi.Benchmarks.Reports;
using Phi.Chaos;
using Phi.Chaos.Faults;

namespace Phi.Benchmarks.Benches;

/// <summary>Faults of every kind against a job that trains, and how long it takes to be back. See tests/Phi.Chaos/README.md.</summary>
internal sealed class ChaosBench : IBench
{
    private const int Nodes = 6;

    private const int Steps = 2500;
    private readonly Option<int> _faultsOption = new("--faults") { Description = "How many; each kind comes about as often.", DefaultValueFactory = _ => 104 };
    private readonly Option<int> _seedOption = new("--seed") { Description = "Of the order, and of what each fault hits.", DefaultValueFactory = _ => 1 };
    private readonly Option<string[]> _kindsOption = new("--kind") { Description = "Only faults of this kind, such as \"node drained\"; may be given again. Default: all." };
    private readonly Option<string?> _keepOption = new("--keep") { Description = "Folder that is left with the cluster's logs and data. Default: a temporary one." };
    private IReadOnlyList<Fault> _kinds = FaultCatalog.All;
    private string? _keep;
    private int _faults = 104;
    private int _seed = 1;

    public string Name => "chaos";

    public string Description => "faults of every kind against a training job: recovery times, steps lost, losses bit for bit";

    public IReadOnlyList<Option> Options => [_faultsOption, _seedOption, _kindsOption, _keepOption];

    public void Configure(ParseResult parsed)
    {
        (_faults, _seed) = (parsed.GetValue(_faultsOption), parsed.GetValue(_seedOption));
        if (_faults < 1)
        {
            throw new BenchException($"--faults is {_faults}; it must be at least 1");
        }

        _keep = parsed.GetValue(_keepOption);
        if (parsed.GetValue(_kindsOption) is { Length: > 0 } kinds)
        {
            _kinds = [.. kinds.Select(kind => FaultCatalog.All.FirstOrDefault(fault => fault.Name == kind) ?? throw new BenchException($"--kind is '{kind}'; the kinds are: {string.Join(", ", FaultCatalog.All.Select(fault => fault.Name))}"))];
        }
    }

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = _keep is null ? Directory.CreateTempSubdirectory("phi-bench-chaos-").FullName : Directory.CreateDirectory(_keep).FullName;
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
            if (_keep is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private async Task<IReadOnlyList<Metric>> MeasureAsync(ChaosCluster cluster, string corpus)
    {
        var random = new Random(_seed);
        var run = new ChaosRun(cluster, corpus, Steps, random, Console.Error.WriteLine);
        var outcomes = await run.RunAsync(Draw(random), CancellationToken.None);
        return [Metric.AtLeast("faults, each job's losses those of the undisturbed run", outcomes.Count, "faults", _faults), .. outcomes.GroupBy(outcome => outcome.Fault).SelectMany(Figures)];
    }

    private static IEnumerable<Metric> Figures(IGrouping<Fault, FaultOutcome> of)
    {
        var (name, seconds) = (of.Key.Name, of.Select(outcome => outcome.Seconds).Order().ToList());
        yield return new Metric($"{name} ({seconds.Count}): next new step, median", seconds[(seconds.Count - 1) / 2], "s");
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
            var round = _kinds.ToArray();
            random.Shuffle(round);
            faults.AddRange(round.Take(_faults - faults.Count));
        }

        return faults;
    }
}

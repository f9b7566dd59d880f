using System.CommandLine;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Tests;

/// <summary>A bench that measures nothing, or cannot run.</summary>
internal sealed class FakeBench(string name, string? failure = null) : IBench
{
    private readonly Option<int> _value = new("--value") { DefaultValueFactory = _ => 1 };
    private int _given;

    public string Name => name;

    public string Description => $"what {name} measures";

    public IReadOnlyList<Option> Options => [_value];

    public void Configure(ParseResult parsed) => _given = parsed.GetValue(_value);

    public Task<IReadOnlyList<Metric>> RunAsync() => failure is not null
        ? throw new BenchException(failure)
        : Task.FromResult<IReadOnlyList<Metric>>([new Metric("plain", _given, "s"), Metric.AtMost("bounded", 3, "s", 2), Metric.Near("near", 1.004, "", 1, 0.005)]);
}

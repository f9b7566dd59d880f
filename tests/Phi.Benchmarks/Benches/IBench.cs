using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>One measurement; both sides of each ratio are measured in the same run.</summary>
internal interface IBench
{
    string Name { get; }

    string Description { get; }

    Task<IReadOnlyList<Metric>> RunAsync();
}

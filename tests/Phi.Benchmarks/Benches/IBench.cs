using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>One measurement; both sides of each ratio are measured in the same run.</summary>
internal interface IBench
{
    string Name { get; }

    string Description { get; }

    /// <summary>What the figures were taken on; asked for after the run.</summary>
    string Machine => MachineName.Get();

    Task<IReadOnlyList<Metric>> RunAsync();
}

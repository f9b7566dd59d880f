using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches;

/// <summary>One measurement; both sides of each ratio are measured in the same run.</summary>
internal interface IBench
{
    string Name { get; }

    string Description { get; }

    /// <summary>Options of this bench alone. Default: none.</summary>
    IReadOnlyList<Option> Options => [];

    /// <summary>Takes the values of <see cref="Options"/>, before it runs.</summary>
    void Configure(ParseResult parsed)
    {
    }

    /// <summary>Progress goes to standard error.</summary>
    /// <summary>What the figures were taken on; asked for after the run.</summary>
    string Machine => MachineName.Get();

    Task<IReadOnlyList<Metric>> RunAsync();
}

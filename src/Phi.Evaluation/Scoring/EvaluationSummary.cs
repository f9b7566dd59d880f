using System.Globalization;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Scoring;

/// <summary>What came of an evaluation: <c>summary.json</c>.</summary>
public sealed record EvaluationSummary
{
    public required SuiteKind Suite { get; init; }

    public required string Source { get; init; }

    public required string Sha256 { get; init; }

    public required int Problems { get; init; }

    public required int Samples { get; init; }

    /// <summary>Samples that passed.</summary>
    public required int Passed { get; init; }

    /// <summary>By k, from 0 to 1.</summary>
    public required IReadOnlyDictionary<string, double> PassAtK { get; init; }

    /// <summary>Samples by verdict.</summary>
    public required IReadOnlyDictionary<string, int> Verdicts { get; init; }

    /// <exception cref="EvaluationException">A problem has fewer samples than a k.</exception>
    public static EvaluationSummary Of(Suite suite, IReadOnlyCollection<SampleResult> results, IReadOnlyList<int> ks)
    {
        List<(int Samples, int Passed)> problems = [.. results.GroupBy(one => one.TaskId).Select(group => (group.Count(), group.Count(one => one.Passed)))];
        return new EvaluationSummary
        {
            Suite = suite.Kind,
            Source = suite.Source,
            Sha256 = suite.Sha256,
            Problems = problems.Count,
            Samples = results.Count,
            Passed = results.Count(one => one.Passed),
            PassAtK = ks.Distinct().Order().ToDictionary(k => k.ToString(CultureInfo.InvariantCulture), k => Scoring.PassAtK.Mean(problems, k)),
            Verdicts = results.CountBy(one => one.Verdict).OrderBy(pair => pair.Key).ToDictionary(pair => pair.Key.ToString(), pair => pair.Value),
        };
    }
}

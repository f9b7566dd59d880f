namespace Phi.Telemetry.Series;

/// <summary>One training job's life.</summary>
/// <param name="Run">The job's uid.</param>
public sealed record RunSummary(string Run, string Namespace, string Job);

/// <param name="FirstStep">Lowest step that any rank of the attempt reported.</param>
public sealed record AttemptStart(int Attempt, long FirstStep);

/// <summary>A metric, and the ranks that reported it.</summary>
public sealed record MetricRanks(string Metric, IReadOnlyList<int> Ranks);

/// <summary>What is stored of a run.</summary>
public sealed record RunDetail(RunSummary Summary, IReadOnlyList<AttemptStart> Attempts, IReadOnlyList<MetricRanks> Metrics);

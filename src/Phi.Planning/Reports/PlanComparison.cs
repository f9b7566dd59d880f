namespace Phi.Planning.Reports;

/// <param name="Alternatives">The job as it is, first.</param>
public sealed record PlanComparison(string Job, IReadOnlyList<Alternative> Alternatives);

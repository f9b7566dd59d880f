namespace Phi.Api.TrainingJobs;

/// <summary>One thing that is wrong with a manifest, and what mends it.</summary>
public sealed record ValidationError(string Field, string Value, string Rule, string Remedy)
{
    public override string ToString() => $"{Field}: {Value}: {Rule}; {Remedy}";
}

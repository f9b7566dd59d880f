using System.Text.Json.Serialization;

namespace Phi.Benchmarks.Reports;

/// <summary>One figure. Target and met are null where there is nothing to reach.</summary>
/// <param name="Target">Such as "at most 0.26".</param>
internal sealed record Metric(string Name, double Value, string Unit, string? Target = null, bool? Met = null)
{
    public static Metric AtMost(string name, double value, string unit, double most) => new(name, value, unit, FormattableString.Invariant($"at most {most}"), value <= most);

    public static Metric AtLeast(string name, double value, string unit, double least) => new(name, value, unit, FormattableString.Invariant($"at least {least}"), value >= least);

    public static Metric Near(string name, double value, string unit, double wanted, double margin) =>
        new(name, value, unit, FormattableString.Invariant($"from {wanted - margin} to {wanted + margin}"), Math.Abs(value - wanted) <= margin);

    [JsonIgnore]
    public string Verdict => Met switch { true => "met", false => "MISSED", null => "" };
}

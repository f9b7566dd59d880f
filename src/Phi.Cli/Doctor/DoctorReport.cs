using Phi.Cli.Output;

namespace Phi.Cli.Doctor;

/// <summary>All that <c>phi doctor</c> found.</summary>
internal sealed record DoctorReport(string Target, IReadOnlyList<CheckResult> Checks)
{
    public bool IsHealthy => Checks.All(one => one.State != CheckState.Fail);

    public static void Write(DoctorReport report, TextWriter to)
    {
        var (width, hasColor) = (report.Checks.Max(one => one.Check.Length), Terminal.HasColor);
        foreach (var one in report.Checks)
        {
            to.WriteLine($"{Word(one.State, hasColor)}  {one.Check.PadRight(width)}  {one.Message}");
            if (one.Remedy is { } remedy)
            {
                to.WriteLine($"{"",9}{"".PadRight(width)}  → {remedy}");
            }
        }

        string Count(CheckState state) => report.Checks.Count(one => one.State == state).ToString(System.Globalization.CultureInfo.InvariantCulture);
        to.WriteLine($"{report.Target}: {Count(CheckState.Ok)} ok, {Count(CheckState.Warn)} warnings, {Count(CheckState.Fail)} failed, {Count(CheckState.Skipped)} skipped");
    }

    private static string Word(CheckState state, bool hasColor)
    {
        var word = state.ToString().ToUpperInvariant().PadRight(7);
        var color = state switch { CheckState.Ok => "32", CheckState.Warn => "33", CheckState.Fail => "31", _ => "2" };
        return hasColor ? $"\e[{color}m{word}\e[0m" : word;
    }
}

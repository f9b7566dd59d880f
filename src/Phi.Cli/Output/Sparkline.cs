namespace Phi.Cli.Output;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Levels = "▁▂▃▄▅▆▇█";
    private const char Unknown = ' ';

    /// <summary>One character for each value, from the least to the greatest of them; a space where there is none.</summary>
    public static string Of(IReadOnlyList<double> values)
    {
        var known = values.Where(double.IsFinite).ToList();
        if (known.Count == 0)
        {
            return "";
        }

        var (least, span) = (known.Min(), known.Max() - known.Min());
        return new string([.. values.Select(value => !double.IsFinite(value) ? Unknown : Levels[span > 0 ? (int)Math.Min(Levels.Length - 1, (value - least) / span * Levels.Length) : Levels.Length / 2])]);
    }
}

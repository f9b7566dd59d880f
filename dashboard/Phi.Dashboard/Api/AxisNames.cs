using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api;

/// <summary>Axes as addresses and answers name them.</summary>
internal static class AxisNames
{
    public const string All = "step, tokens, time or training";

    public static string Of(SeriesAxis axis) => axis switch
    {
        SeriesAxis.Step => "step",
        SeriesAxis.Tokens => "tokens",
        SeriesAxis.Time => "time",
        SeriesAxis.Training => "training",
        _ => throw new ArgumentOutOfRangeException(nameof(axis)),
    };

    /// <summary>Null: there is no axis of that name.</summary>
    public static SeriesAxis? Find(string? name) => Enum.GetValues<SeriesAxis>().Where(axis => Of(axis) == name).Select(axis => (SeriesAxis?)axis).FirstOrDefault();
}

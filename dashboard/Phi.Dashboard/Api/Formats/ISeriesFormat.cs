using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary>One way to write curves.</summary>
internal interface ISeriesFormat
{
    string Name { get; }

    string ContentType { get; }

    byte[] Write(SeriesAxis axis, IReadOnlyList<SeriesData> series);
}

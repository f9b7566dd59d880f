using System.Text.Json;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary>What is said of a curve besides its columns.</summary>
internal static class SeriesHeader
{
    /// <summary>Writes its properties into the open object.</summary>
    public static void Write(Utf8JsonWriter json, SeriesData data)
    {
        json.WriteString("run", data.Query.Run);
        json.WriteString("metric", data.Query.Metric);
        json.WriteNumber("rank", data.Query.Rank);
        json.WriteNumber("bucketSteps", data.BucketSteps);
        json.WriteNumber("firstStep", data.FirstStep);
        json.WriteNumber("lastStep", data.LastStep);
        json.WriteStartArray("attempts");
        foreach (var attempt in data.Attempts)
        {
            json.WriteStartObject();
            json.WriteNumber("attempt", attempt.Attempt);
            json.WriteNumber("firstStep", attempt.FirstStep);
            json.WriteNumber("lastStep", attempt.LastStep);
            json.WriteNumber("lostSteps", attempt.LostSteps);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

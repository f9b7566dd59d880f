namespace Phi.Telemetry.Series;

/// <summary>A committed checkpoint.</summary>
public sealed record CheckpointRecord(long Step, int Attempt, DateTimeOffset Time, string Uri, long Bytes, double Seconds, double StallSeconds);

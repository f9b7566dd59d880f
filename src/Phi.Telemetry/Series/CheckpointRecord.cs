namespace Phi.Telemetry.Series;

/// <summary>A committed checkpoint.</summary>
public sealed record CheckpointRecord(long Step, int Attempt, DateTimeOffset Time, string Uri, long Bytes, double Seconds, double StallSeconds);

/// <summary>All committed checkpoints of a run together.</summary>
/// <param name="Newest">Null: there is none.</param>
public sealed record CheckpointTotals(int Count, long Bytes, double StallSeconds, CheckpointRecord? Newest);

using System.Data.Common;
using Phi.Api.Agent;

namespace Phi.Telemetry.Store;

/// <summary>Writes what a batch of events has besides its points, the same in either database.</summary>
internal sealed class RunRows(DbConnection connection, DbTransaction transaction)
{
    /// <param name="firstStep">Lowest step of the batch; null: it has none.</param>
    public async Task WriteAttemptAsync(EventBatch batch, long? firstStep, CancellationToken ct)
    {
        await ExecuteAsync("INSERT INTO runs (id, namespace, job) VALUES (@run, @namespace, @job) ON CONFLICT (id) DO NOTHING", ct, ("run", batch.JobUid), ("namespace", batch.Namespace), ("job", batch.Job));
        if (firstStep is { } first)
        {
            await ExecuteAsync(
                """
                INSERT INTO attempts (run_id, attempt, first_step) VALUES (@run, @attempt, @step)
                ON CONFLICT (run_id, attempt) DO UPDATE SET first_step = excluded.first_step WHERE excluded.first_step < attempts.first_step
                """,
                ct, ("run", batch.JobUid), ("attempt", batch.Attempt), ("step", first));
        }
    }

    public async Task WriteCheckpointsAsync(EventBatch batch, CancellationToken ct)
    {
        foreach (var checkpoint in batch.Checkpoints)
        {
            await ExecuteAsync(
                """
                INSERT INTO checkpoints (run_id, step, attempt, ts, uri, bytes, seconds, stall_seconds) VALUES (@run, @step, @attempt, @ts, @uri, @bytes, @seconds, @stall)
                ON CONFLICT (run_id, step) DO NOTHING
                """,
                ct, ("run", batch.JobUid), ("step", checkpoint.Step), ("attempt", batch.Attempt), ("ts", checkpoint.Time.ToUnixTimeMilliseconds()),
                ("uri", checkpoint.Uri), ("bytes", checkpoint.Bytes), ("seconds", checkpoint.Seconds), ("stall", checkpoint.StallSeconds));
        }
    }

    public async Task WriteMarksAsync(EventBatch batch, CancellationToken ct)
    {
        foreach (var mark in batch.Marks)
        {
            await ExecuteAsync(
                """
                INSERT INTO marks (run_id, attempt, name, ts) VALUES (@run, @attempt, @name, @ts)
                ON CONFLICT (run_id, attempt, name) DO UPDATE SET ts = excluded.ts WHERE excluded.ts > marks.ts
                """,
                ct, ("run", batch.JobUid), ("attempt", batch.Attempt), ("name", mark.Name), ("ts", mark.Time.ToUnixTimeMilliseconds()));
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct, params (string Name, object Value)[] values)
    {
        await using var command = connection.Statement(transaction, sql).With(values);
        await command.ExecuteNonQueryAsync(ct);
    }
}

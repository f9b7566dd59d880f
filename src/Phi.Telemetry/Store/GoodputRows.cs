using System.Data.Common;
using Phi.Telemetry.Goodput;

namespace Phi.Telemetry.Store;

/// <summary>Writes and reads the goodput of runs, over a connection to either database.</summary>
internal sealed class GoodputRows(DbConnection connection)
{
    private const string Columns = "attempt, steps, first_step, last_step, start_ts, end_ts, productive_seconds, lost_seconds, lost_from_step, tokens, first_loss, loss, loss_nonfinite, missed_stall_seconds, missed_ts";

    private const string WriteSql = $"""
        INSERT INTO goodput (run_id, {Columns})
        VALUES (@run, @attempt, @steps, @first, @last, @start, @end, @productive, @lost, @from, @tokens, @first_loss, @loss, @nonfinite, @stall, @missed)
        ON CONFLICT (run_id, attempt) DO UPDATE SET steps = excluded.steps, first_step = excluded.first_step, last_step = excluded.last_step, start_ts = excluded.start_ts, end_ts = excluded.end_ts,
            productive_seconds = excluded.productive_seconds, lost_seconds = excluded.lost_seconds, lost_from_step = excluded.lost_from_step, tokens = excluded.tokens, first_loss = excluded.first_loss,
            loss = excluded.loss, loss_nonfinite = excluded.loss_nonfinite, missed_stall_seconds = excluded.missed_stall_seconds, missed_ts = excluded.missed_ts
        WHERE excluded.steps >= goodput.steps
        """;

    /// <returns>How many rows are written; those that were newer are not.</returns>
    public async Task<int> WriteAsync(IReadOnlyList<RunGoodput> runs, CancellationToken ct)
    {
        var written = 0;
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var (run, row) in runs.SelectMany(run => run.Attempts.Select(row => (run.Run, row))))
        {
            await using var command = connection.Statement(transaction, WriteSql).With(
                ("run", run), ("attempt", row.Attempt), ("steps", row.Steps), ("first", row.FirstStep), ("last", row.LastStep),
                ("start", row.Start.ToUnixTimeMilliseconds()), ("end", row.End.ToUnixTimeMilliseconds()), ("productive", row.ProductiveSeconds), ("lost", row.LostSeconds), ("from", Value(row.LostFromStep)),
                ("tokens", Value(row.Tokens)), ("first_loss", Value(row.FirstLoss)), ("loss", Value(row.Loss is { } loss && !double.IsFinite(loss) ? 0 : row.Loss)), ("nonfinite", StoredValue.Kind(row.Loss ?? 0)),
                ("stall", row.MissedStallSeconds), ("missed", Value(row.MissedUntil?.ToUnixTimeMilliseconds())));
            written += await command.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return written;
    }

    public async Task<IReadOnlyList<AttemptGoodput>> ReadAsync(string run, CancellationToken ct)
    {
        await using var command = connection.Statement(null, $"SELECT {Columns} FROM goodput WHERE run_id = @run ORDER BY attempt").With(("run", run));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<AttemptGoodput>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new AttemptGoodput
            {
                Attempt = reader.GetInt32(0),
                Steps = reader.GetInt64(1),
                FirstStep = reader.GetInt64(2),
                LastStep = reader.GetInt64(3),
                Start = Time(reader.GetInt64(4)),
                End = Time(reader.GetInt64(5)),
                ProductiveSeconds = reader.GetDouble(6),
                LostSeconds = reader.GetDouble(7),
                LostFromStep = reader.IsDBNull(8) ? null : reader.GetInt64(8),
                Tokens = Number(reader, 9),
                FirstLoss = Number(reader, 10),
                Loss = Number(reader, 11) is { } loss ? StoredValue.Read(loss, reader.GetInt16(12)) : null,
                MissedStallSeconds = reader.GetDouble(13),
                MissedUntil = reader.IsDBNull(14) ? null : Time(reader.GetInt64(14)),
            });
        }

        return rows;
    }

    private static object Value<T>(T? value)
        where T : struct => value is { } given ? given : DBNull.Value;

    private static double? Number(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetDouble(column);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}

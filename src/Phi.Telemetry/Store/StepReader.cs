using System.Data.Common;
using System.Globalization;
using Phi.Telemetry.Goodput;

namespace Phi.Telemetry.Store;

/// <summary>Reads the steps that rank 0 of an attempt reported, over a connection to either database.</summary>
internal sealed class StepReader(DbConnection connection)
{
    private const string Series = "(SELECT id FROM series WHERE run_id = @run AND attempt = @attempt AND rank = 0 AND metric = 'step_seconds')";

    private const string Columns = """
        SELECT p.step, p.ts, p.value, l.value, l.nonfinite, t.value, t.nonfinite
        FROM metric_point p
            LEFT JOIN metric_point l ON l.step = p.step AND l.series_id = (SELECT id FROM series WHERE run_id = @run AND attempt = @attempt AND rank = 0 AND metric = 'loss')
            LEFT JOIN metric_point t ON t.step = p.step AND t.series_id = (SELECT id FROM series WHERE run_id = @run AND attempt = @attempt AND rank = 0 AND metric = 'tokens')
        """;

    private const string AfterSql = $"{Columns} WHERE p.series_id = {Series} AND p.step > @step ORDER BY p.step LIMIT @most";
    private const string UpToSql = $"{Columns} WHERE p.series_id = {Series} AND p.step <= @step ORDER BY p.step DESC LIMIT @most";

    private const string CountSql = $"""
        SELECT (SELECT coalesce(sum(n + n_nonfinite), 0) FROM metric_rollup_256 WHERE series_id = {Series} AND bucket < @bucket)
            + (SELECT count(*) FROM metric_point WHERE series_id = {Series} AND step BETWEEN @from AND @to)
        """;

    // A step that is reported after some that were not stands for them too; an attempt's first stands for itself.
    private const string SumSql = $"""
        SELECT count(*), coalesce(sum(value * steps), 0.0), coalesce(max(ts), 0)
        FROM (
            SELECT value, ts, step - coalesce(lag(step) OVER (ORDER BY step), (SELECT max(step) FROM metric_point WHERE series_id = {Series} AND step < @from), step - 1) AS steps
            FROM metric_point WHERE series_id = {Series} AND step BETWEEN @from AND @to
        ) AS reported
        """;

    private const string NewestSql = """
        SELECT value, nonfinite FROM metric_point
        WHERE series_id = (SELECT id FROM series WHERE run_id = @run AND attempt = @attempt AND rank = 0 AND metric = @metric) AND step <= @step
        ORDER BY step DESC LIMIT 1
        """;

    public async Task<IReadOnlyList<int>> AttemptsAsync(string run, CancellationToken ct)
    {
        await using var command = connection.Statement(null, "SELECT attempt FROM series WHERE run_id = @run AND metric = 'step_seconds' AND rank = 0 ORDER BY attempt").With(("run", run));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var attempts = new List<int>();
        while (await reader.ReadAsync(ct))
        {
            attempts.Add(reader.GetInt32(0));
        }

        return attempts;
    }

    public Task<IReadOnlyList<StoredStep>> AfterAsync(string run, int attempt, long after, int most, CancellationToken ct) => StepsAsync(AfterSql, run, attempt, after, most, ct);

    public async Task<IReadOnlyList<StoredStep>> UpToAsync(string run, int attempt, long upTo, int most, CancellationToken ct) => [.. (await StepsAsync(UpToSql, run, attempt, upTo, most, ct)).Reverse()];

    public async Task<long> CountAsync(string run, int attempt, long upTo, CancellationToken ct)
    {
        var bucket = (upTo + 1) >> RollupSql.CoarseShift;
        await using var command = connection.Statement(null, CountSql).With(("run", run), ("attempt", attempt), ("bucket", bucket), ("from", bucket << RollupSql.CoarseShift), ("to", upTo));
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    public async Task<StepSum> SumAsync(string run, int attempt, long from, long to, CancellationToken ct)
    {
        await using var command = connection.Statement(null, SumSql).With(("run", run), ("attempt", attempt), ("from", from), ("to", to));
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new StepSum(reader.GetInt64(0), reader.GetDouble(1), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2)));
    }

    public async Task<double?> NewestAsync(string run, int attempt, string metric, long upTo, CancellationToken ct)
    {
        await using var command = connection.Statement(null, NewestSql).With(("run", run), ("attempt", attempt), ("metric", metric), ("step", upTo));
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? StoredValue.Read(reader.GetDouble(0), reader.GetInt16(1)) : null;
    }

    private async Task<IReadOnlyList<StoredStep>> StepsAsync(string sql, string run, int attempt, long step, int most, CancellationToken ct)
    {
        await using var command = connection.Statement(null, sql).With(("run", run), ("attempt", attempt), ("step", step), ("most", most));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var steps = new List<StoredStep>();
        while (await reader.ReadAsync(ct))
        {
            steps.Add(new StoredStep(
                reader.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(1)), reader.GetDouble(2),
                reader.IsDBNull(3) ? null : StoredValue.Read(reader.GetDouble(3), reader.GetInt16(4)),
                reader.IsDBNull(5) || reader.GetInt16(6) != 0 ? null : reader.GetDouble(5)));
        }

        return steps;
    }
}

using Microsoft.Data.Sqlite;

namespace Phi.Chaos;

/// <summary>One step of rank 0 at one attempt.</summary>
public sealed record CurveStep(int Attempt, long Step, DateTimeOffset Time, double Loss);

/// <summary>A run's steps, straight from the telemetry store's tables.</summary>
public static class Curve
{
    /// <summary>Rank 0's losses, by attempt and step.</summary>
    public static async Task<IReadOnlyList<CurveStep>> ReadAsync(string database, string runUid, CancellationToken ct)
    {
        if (!File.Exists(database))
        {
            return [];
        }

        await using var connection = await OpenAsync(database, ct);
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT s.attempt, p.step, p.ts, p.value FROM metric_point p JOIN series s ON s.id = p.series_id
            WHERE s.run_id = $run AND s.metric = 'loss' AND s.rank = 0 ORDER BY s.attempt, p.step
            """;
        command.Parameters.AddWithValue("$run", runUid);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var steps = new List<CurveStep>();
        while (await reader.ReadAsync(ct))
        {
            steps.Add(new CurveStep(reader.GetInt32(0), reader.GetInt64(1), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2)), reader.GetDouble(3)));
        }

        return steps;
    }

    /// <summary>By attempt, the ranks that reported a step.</summary>
    public static async Task<IReadOnlyDictionary<int, IReadOnlySet<int>>> RanksAsync(string database, string runUid, CancellationToken ct)
    {
        await using var connection = await OpenAsync(database, ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT DISTINCT attempt, rank FROM series WHERE run_id = $run AND metric = 'step_seconds'";
        command.Parameters.AddWithValue("$run", runUid);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var ranks = new Dictionary<int, HashSet<int>>();
        while (await reader.ReadAsync(ct))
        {
            (ranks.TryGetValue(reader.GetInt32(0), out var known) ? known : ranks[reader.GetInt32(0)] = []).Add(reader.GetInt32(1));
        }

        return ranks.ToDictionary(pair => pair.Key, IReadOnlySet<int> (pair) => pair.Value);
    }

    /// <summary>The effective curve: of each step the newest attempt's, up to where the next attempt began.</summary>
    public static SortedDictionary<long, double> Effective(IReadOnlyList<CurveStep> steps)
    {
        var effective = new SortedDictionary<long, double>();
        foreach (var attempt in steps.GroupBy(step => step.Attempt).OrderBy(group => group.Key))
        {
            var first = attempt.Min(step => step.Step);
            foreach (var lost in effective.Keys.Where(step => step >= first).ToList())
            {
                effective.Remove(lost);
            }

            foreach (var step in attempt)
            {
                effective.Add(step.Step, step.Loss);
            }
        }

        return effective;
    }

    private static async Task<SqliteConnection> OpenAsync(string database, CancellationToken ct)
    {
        var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync(ct);
        return connection;
    }
}

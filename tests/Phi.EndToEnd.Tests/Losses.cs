using Microsoft.Data.Sqlite;

namespace Phi.EndToEnd.Tests;

/// <summary>Reads a run's losses from the telemetry store: per step, the newest attempt's, as the effective curve has it.</summary>
internal static class Losses
{
    public static async Task<SortedDictionary<long, double>> EffectiveAsync(string database, string runUid)
    {
        await using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT p.step, p.value FROM metric_point p JOIN series s ON s.id = p.series_id
            WHERE s.run_id = $run AND s.metric = 'loss' AND s.rank = 0 ORDER BY s.attempt
            """;
        command.Parameters.AddWithValue("$run", runUid);
        await using var reader = await command.ExecuteReaderAsync();
        var losses = new SortedDictionary<long, double>();
        while (await reader.ReadAsync())
        {
            losses[reader.GetInt64(0)] = reader.GetDouble(1);
        }

        return losses;
    }

    /// <summary>Fails unless both curves have every step from 1 to <paramref name="steps"/> and are equal to the last bit.</summary>
    public static void AssertEqual(SortedDictionary<long, double> expected, SortedDictionary<long, double> actual, long steps)
    {
        Assert.Equal(Enumerable.Range(1, (int)steps).Select(i => (long)i), expected.Keys);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.Equal(expected.Values.Select(BitConverter.DoubleToInt64Bits), actual.Values.Select(BitConverter.DoubleToInt64Bits));
    }
}

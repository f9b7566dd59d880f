using System.Data.Common;
using Phi.Postgres;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Telemetry.Tests;

/// <summary>A database that goes away under load, with what it had written and not told, and comes back.</summary>
public sealed class PostgresOutageTests
{
    private const int Writers = 4;
    private const int Batches = 60;
    private const int StepsPerBatch = 50;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ingest_WhileTheServerIsStoppedAgainAndAgain_LosesAndDoublesNothing()
    {
        using var server = new PostgresServer();
        var database = server.CreateDatabase();
        await using var store = await TelemetryStore.OpenAsync(database, TimeProvider.System, Ct);
        await using var replica = await TelemetryStore.OpenAsync(database, TimeProvider.System, Ct);
        var failures = 0;
        var written = 0;
        var progress = new SemaphoreSlim(0);
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(rank => Task.Run(
            async () =>
            {
                for (var batch = 0; batch < Batches; batch++)
                {
                    // As agents do: the same batch to any replica until one has it, and sometimes once more.
                    for (var tries = 0; ; tries++)
                    {
                        try
                        {
                            await (tries % 2 == 0 ? store : replica).IngestAsync(Telemetry.Tests.Batches.Loss("run", 1, batch * StepsPerBatch + 1, (batch + 1) * StepsPerBatch, step => step, rank), Ct);
                            break;
                        }
                        catch (DbException)
                        {
                            Interlocked.Increment(ref failures);
                            await Task.Yield();
                        }
                    }

                    Interlocked.Increment(ref written);
                    progress.Release();
                }
            },
            Ct)));
        for (var stop = 0; stop < 3; stop++)
        {
            for (var seen = 0; seen < 30; seen++)
            {
                await progress.WaitAsync(Ct);
            }

            var before = Volatile.Read(ref failures);
            server.Stop();
            while (Volatile.Read(ref failures) <= before)
            {
                await Task.Yield();
            }

            server.Start();
        }

        await writing;

        Assert.Equal(Writers * Batches, written);
        for (var rank = 0; rank < Writers; rank++)
        {
            var fine = await store.SeriesAsync(new SeriesQuery { Run = "run", Metric = "loss", Rank = rank, Buckets = SeriesQuery.MostBuckets }, Ct);
            var coarse = await store.SeriesAsync(new SeriesQuery { Run = "run", Metric = "loss", Rank = rank, Buckets = 2 }, Ct);
            Assert.Equal(Enumerable.Range(1, Batches * StepsPerBatch).Select(step => (double)step), fine.Columns.Average);
            Assert.Equal(Batches * StepsPerBatch, coarse.Columns.Count.Sum());
            Assert.Equal(Batches * StepsPerBatch * (Batches * StepsPerBatch + 1) / 2, coarse.Columns.Count.Zip(coarse.Columns.Average).Sum(bucket => bucket.First * bucket.Second), 6);
        }
    }
}

using System.Data.Common;
using Phi.Telemetry.Store;

namespace Phi.Telemetry.Goodput;

/// <summary>The goodput of runs, and what of their points it is computed from. Nothing here reads more than it is asked for, however long a run is.</summary>
public sealed class GoodputLedger
{
    private readonly TelemetryStore _store;

    internal GoodputLedger(TelemetryStore store) => _store = store;

    /// <summary>Writes rows over those of the same attempts, in one transaction. One that knows of fewer steps than the stored row changes nothing.</summary>
    public async Task WriteAsync(IReadOnlyList<RunGoodput> runs, CancellationToken ct)
    {
        if (runs.Count > 0)
        {
            await using var connection = await _store.OpenConnectionAsync(ct);
            await _store.WriteInTurnAsync(() => new GoodputRows(connection).WriteAsync(runs, ct), ct);
        }
    }

    /// <summary>By attempt; empty if nothing is known of the run.</summary>
    public Task<IReadOnlyList<AttemptGoodput>> ReadAsync(string run, CancellationToken ct) => ReadAsync(connection => new GoodputRows(connection).ReadAsync(run, ct), ct);

    /// <summary>Attempts whose steps are stored, ascending.</summary>
    public Task<IReadOnlyList<int>> AttemptsAsync(string run, CancellationToken ct) => ReadAsync(connection => new StepReader(connection).AttemptsAsync(run, ct), ct);

    /// <summary>The first steps after one, ascending.</summary>
    public Task<IReadOnlyList<StoredStep>> StepsAsync(string run, int attempt, long after, int most, CancellationToken ct) =>
        ReadAsync(connection => new StepReader(connection).AfterAsync(run, attempt, after, most, ct), ct);

    /// <summary>The newest steps up to one, ascending.</summary>
    public Task<IReadOnlyList<StoredStep>> NewestStepsAsync(string run, int attempt, long upTo, int most, CancellationToken ct) =>
        ReadAsync(connection => new StepReader(connection).UpToAsync(run, attempt, upTo, most, ct), ct);

    /// <summary>How many steps up to one are stored, read from roll-ups.</summary>
    public Task<long> CountAsync(string run, int attempt, long upTo, CancellationToken ct) => ReadAsync(connection => new StepReader(connection).CountAsync(run, attempt, upTo, ct), ct);

    /// <summary>What the steps of a range took, both ends included. The database goes through all of them.</summary>
    public Task<StepSum> SumAsync(string run, int attempt, long from, long to, CancellationToken ct) => ReadAsync(connection => new StepReader(connection).SumAsync(run, attempt, from, to, ct), ct);

    /// <summary>The newest value of a metric of rank 0 up to a step; null if there is none.</summary>
    public Task<double?> NewestAsync(string run, int attempt, string metric, long upTo, CancellationToken ct) =>
        ReadAsync(connection => new StepReader(connection).NewestAsync(run, attempt, metric, upTo, ct), ct);

    private Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken ct) => _store.ReadAsync(
        async () =>
        {
            await using var connection = await _store.OpenConnectionAsync(ct);
            return await read(connection);
        },
        ct);
}

using Phi.Api.Agent;
using Phi.Operator.Progress;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>A run's progress beside a real store, as the tracker keeps it.</summary>
internal sealed class RunProgressBed : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi progress ").FullName;
    private ProgressStore? _ledger;

    public TelemetryStore Store { get; private set; } = null!;

    public RunProgress Progress { get; private set; } = new("run");

    public static EventBatch Batch(int attempt, IEnumerable<StepEvent> steps, string run = "run") => new() { Namespace = "default", Job = "job", JobUid = run, Attempt = attempt, Steps = [.. steps] };

    public async Task OpenAsync(CancellationToken ct)
    {
        Store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, ct);
        _ledger = new ProgressStore(Store);
    }

    /// <summary>Another run begins.</summary>
    public void Begin(string run) => Progress = new RunProgress(run);

    public async Task AddAsync(EventBatch batch, CancellationToken ct)
    {
        await Store.IngestAsync(batch, ct);
        Take(batch);
    }

    /// <summary>Adds what is in the store.</summary>
    public void Take(EventBatch batch)
    {
        foreach (var step in batch.Steps)
        {
            Progress.Add(batch.Attempt, step);
        }

        foreach (var checkpoint in batch.Checkpoints)
        {
            Progress.Add(checkpoint);
        }

        foreach (var evaluation in batch.Evaluations)
        {
            Progress.Add(batch.Attempt, evaluation);
        }
    }

    public Task<LateEvents> SettleAsync(CancellationToken ct) => _ledger!.SettleAsync(Progress, ct);

    public async Task SaveAsync(CancellationToken ct)
    {
        await SettleAsync(ct);
        await _ledger!.SaveAsync([Progress], ct);
    }

    /// <summary>The operator stops in good order and begins anew.</summary>
    public async Task RestartAsync(CancellationToken ct)
    {
        await SaveAsync(ct);
        await CrashAsync(ct);
    }

    /// <summary>What was not saved is forgotten.</summary>
    public async Task CrashAsync(CancellationToken ct) => Progress = await _ledger!.LoadAsync(Progress.Run, ct);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

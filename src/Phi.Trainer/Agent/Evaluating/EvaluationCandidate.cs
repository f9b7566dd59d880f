using Phi.Checkpoints;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Trainer.Agent.Evaluating;

/// <summary>A committed checkpoint that is to be evaluated; from now on until this is disposed of, retention leaves it.</summary>
internal sealed class EvaluationCandidate : IAsyncDisposable
{
    private readonly Task<(CheckpointStore Store, CheckpointUse Use)> _held;

    /// <param name="location">Of the job's checkpoints.</param>
    /// <param name="attempt">The one that committed it, unless the checkpoint says otherwise.</param>
    public EvaluationCandidate(string location, long step, int attempt, string job, Action<string> log)
    {
        (Step, Attempt) = (step, attempt);
        _held = Task.Run(() =>
        {
            var store = CheckpointStore.At(location);
            return (store, CheckpointUse.Begin(store, step, $"job {job}", "evaluation", TimeProvider.System, log));
        });
    }

    public long Step { get; }

    public int Attempt { get; private set; }

    public DateTimeOffset Committed { get; private set; } = TimeProvider.System.GetUtcNow();

    /// <summary>The checkpoint's own folder or address.</summary>
    /// <exception cref="CheckpointException">It is gone or damaged.</exception>
    /// <exception cref="StorageException">The storage does not answer.</exception>
    public async Task<string> OpenAsync()
    {
        var (store, _) = await _held;
        var manifest = store.ReadManifest(Step);
        (Attempt, Committed) = (manifest.Attempt, manifest.Time);
        var place = store.UriOf(Step);
        return place.IsFile ? place.LocalPath : place.AbsoluteUri;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            var (store, use) = await _held;
            use.Dispose();
            store.Dispose();
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            // It could not be opened; whoever wanted it was told.
        }
    }
}

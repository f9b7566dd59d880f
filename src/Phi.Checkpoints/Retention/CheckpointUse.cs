using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Retention;

/// <summary>
/// Keeps a checkpoint from being removed while it is read: a marker in its folder that expires, is renewed until this is disposed of, and
/// then removed. Whoever ends without that leaves the checkpoint to the policy 10 minutes later.
/// </summary>
public sealed class CheckpointUse : IDisposable
{
    /// <summary>10 minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly CheckpointStore _store;
    private readonly long _step;
    private readonly string _name = StepFiles.NewUse();
    private readonly byte[] _content;
    private readonly Action<string> _onProblem;
    private readonly ITimer _timer;
    private bool _isDisposed;

    private CheckpointUse(CheckpointStore store, long step, string who, string purpose, TimeProvider time, Action<string> onProblem)
    {
        (_store, _step, _onProblem) = (store, step, onProblem);
        _content = JsonSerializer.SerializeToUtf8Bytes(new UseMarker(who, purpose, Lifetime.TotalSeconds), PhiJson.Options);
        Renew();
        _timer = time.CreateTimer(_ => Renew(), null, Lifetime / 4, Lifetime / 4);
    }

    /// <param name="who">Such as a job, or a person at a machine.</param>
    /// <param name="purpose">Such as "export".</param>
    /// <param name="onProblem">Hears why the marker cannot be written, such as in a storage that only lets read: the checkpoint is then read without it.</param>
    public static CheckpointUse Begin(CheckpointStore store, long step, string who, string purpose, TimeProvider time, Action<string> onProblem) => new(store, step, who, purpose, time, onProblem);

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _isDisposed = true;
            Guarded(() => _store.DeleteFile(_step, _name));
        }
    }

    private void Renew()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                Guarded(() => _store.WriteFile(_step, _name, _content));
            }
        }
    }

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (StorageException e)
        {
            _onProblem($"the checkpoint of step {_step} cannot be marked as in use: {e.Message}");
        }
    }
}

using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Phi.Dashboard.Live;

namespace Phi.Dashboard.Components.Controls;

/// <summary>A page that is drawn anew when what it shows has changed, at most twice a second.</summary>
public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private volatile bool _isStale;

    [Inject]
    internal LiveState Live { get; set; } = null!;

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    /// <summary>Why the page may be old; null: it is not.</summary>
    protected string? Problem { get; private set; }

    /// <summary>Whether a change concerns the page.</summary>
    protected abstract bool Concerns(LiveChange change);

    /// <summary>Reads again what the page shows.</summary>
    protected abstract Task RefreshAsync(CancellationToken ct);

    protected override async Task OnInitializedAsync()
    {
        await RefreshOrWaitAsync();
        if (RendererInfo.IsInteractive)
        {
            Live.Changed += OnChanged;
            _loop = LoopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Live.Changed -= OnChanged;
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    private void OnChanged(LiveChange change) => _isStale |= Concerns(change);

    /// <summary>Reads again; while the store is away the page stays as it was and says so.</summary>
    protected async Task RefreshOrWaitAsync()
    {
        try
        {
            await RefreshAsync(_stop.Token);
            Problem = null;
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException)
        {
            // The database is away: the page stays as it was, says so, and is tried again at the next tick.
            (Problem, _isStale) = ($"The telemetry store does not answer ({e.Message}). What is shown may be old.", true);
        }

        StateHasChanged();
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(Period, Time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            if (_isStale)
            {
                _isStale = false;
                await InvokeAsync(RefreshOrWaitAsync);
            }
        }
    }
}

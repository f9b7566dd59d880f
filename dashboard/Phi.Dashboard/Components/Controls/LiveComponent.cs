using Microsoft.AspNetCore.Components;
using Phi.Dashboard.Live;
using Phi.Kubernetes;

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

    /// <summary>Whether a change of this job concerns the page.</summary>
    protected abstract bool Concerns(ResourceKey job);

    /// <summary>Reads again what the page shows.</summary>
    protected abstract Task RefreshAsync(CancellationToken ct);

    protected override async Task OnInitializedAsync()
    {
        await RefreshAsync(_stop.Token);
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

    private void OnChanged(ResourceKey job) => _isStale |= Concerns(job);

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(Period, Time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            if (_isStale)
            {
                _isStale = false;
                await InvokeAsync(async () =>
                {
                    await RefreshAsync(_stop.Token);
                    StateHasChanged();
                });
            }
        }
    }
}

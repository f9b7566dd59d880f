using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Dashboard.Actions;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Components.Controls;

/// <summary>What was committed, what is still stored of it, and what can be done with it.</summary>
public sealed partial class CheckpointTable : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>How much of those that are being verified has been read, in percent.</summary>
    private readonly Dictionary<long, int> _checking = [];
    private readonly Dictionary<long, string> _verified = [];
    private IReadOnlyDictionary<long, StoredStep>? _stored;
    private string? _problem;
    private (string? Uid, long? Step) _read;

    [Parameter, EditorRequired]
    public required TrainingJob Job { get; set; }

    /// <summary>Newest first.</summary>
    [Parameter, EditorRequired]
    public required IReadOnlyList<CheckpointRecord> Checkpoints { get; set; }

    /// <summary>Checkpoints that the job keeps: so many are shown where the store cannot be read.</summary>
    [Parameter, EditorRequired]
    public required int KeepLast { get; set; }

    [Parameter, EditorRequired]
    public required DateTimeOffset Now { get; set; }

    /// <summary>Somebody did something with one.</summary>
    [Parameter]
    public EventCallback Changed { get; set; }

    [Inject]
    private CheckpointActions Actions { get; set; } = null!;

    /// <summary>What retention removed is history; what is newer than the store's last reading is there.</summary>
    private IEnumerable<CheckpointRecord> Shown => _stored is null ? Checkpoints.Take(KeepLast) : Checkpoints.Where(checkpoint => _stored.ContainsKey(checkpoint.Step) || checkpoint.Step > _read.Step);

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>The store is read when there is a new checkpoint: that is also when retention removes old ones.</summary>
    protected override async Task OnParametersSetAsync()
    {
        if (RendererInfo.IsInteractive && Checkpoints.Count > 0 && _read != (Job.Metadata.Uid, Job.Status?.Checkpoint?.Step))
        {
            _read = (Job.Metadata.Uid, Job.Status?.Checkpoint?.Step);
            await ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            (_stored, _problem) = (await CheckpointActions.ReadAsync(Job), null);
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            (_stored, _problem) = (null, e.Message);
        }
    }

    private async Task ChangedAsync()
    {
        await ReadAsync();
        await Changed.InvokeAsync();
    }

    private string State(long step, StoredStep? stored)
    {
        if (_checking.TryGetValue(step, out var percent))
        {
            return string.Create(CultureInfo.InvariantCulture, $"checking: {percent}%");
        }

        if (_verified.TryGetValue(step, out var words))
        {
            return words;
        }

        return stored switch
        {
            { State: StepState.Damaged } => "damaged",
            { Pin: { } pin } => $"pinned by {pin.Who}",
            { } => "stored",
            null => Show.Nothing,
        };
    }

    private async Task<ActionOutcome> VerifyAsync(long step)
    {
        var said = 0;
        _checking[step] = 0;
        var outcome = await Actions.VerifyAsync(Job, step, share => Report((int)(share * 100)), _stop.Token);
        _checking.Remove(step);
        _verified[step] = outcome.IsDone ? "verified" : "not verified";
        return outcome;

        void Report(int percent)
        {
            if (percent != said && !_stop.IsCancellationRequested)
            {
                said = percent;
                _ = InvokeAsync(() =>
                {
                    // It may come after the end.
                    if (_checking.ContainsKey(step))
                    {
                        _checking[step] = percent;
                        StateHasChanged();
                    }
                });
            }
        }
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.JSInterop;
using Phi.Dashboard.Api;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Components.Controls;

/// <summary>A run whose curve is drawn.</summary>
/// <param name="Id">The job's uid.</param>
public sealed record ChartRun(string Id, string Name);

/// <summary>Curves of one or several runs, drawn by an island of script that fetches them by itself; over the circuit go state and "there is more".</summary>
public sealed partial class MetricChart : ScriptIsland
{
    private static readonly Dictionary<string, string> Units = new()
    {
        ["loss"] = "nats per token", ["eval_loss"] = "nats per token", ["tokens_per_second"] = "tokens/s", ["step_seconds"] = "seconds", ["grad_norm"] = "norm of the gradient", ["learning_rate"] = "learning rate",
    };

    private const string ScoreUnit = "share of the problems solved";

    private ChartState _state = new();
    private DotNetObjectReference<MetricChart>? _self;
    private object? _shownProgress;
    private IReadOnlyList<ChartRun>? _shownRuns;
    private bool _wasDark;

    [Parameter]
    public required IReadOnlyList<ChartRun> Runs { get; set; }

    /// <summary>Metrics that any of the runs has.</summary>
    [Parameter]
    public required IReadOnlyList<string> Metrics { get; set; }

    /// <summary>Whenever it is another one, there is more to fetch.</summary>
    [Parameter]
    public object? Progress { get; set; }

    /// <summary>The one metric of a chart beside another, whose axis and range it shares. Null: the one that the address names.</summary>
    [Parameter]
    public string? Only { get; set; }

    [CascadingParameter(Name = "IsDark")]
    public bool IsDark { get; set; }

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    private IEnumerable<string> Choices => Metrics.Append(_state.Metric).Distinct().OrderByDescending(metric => metric is ChartState.DefaultMetric).ThenBy(metric => metric, StringComparer.Ordinal);

    /// <summary>Where the numbers of what is shown can be fetched as a file, as finely as they can be had.</summary>
    private string CsvAddress => QueryHelpers.AddQueryString("api/v1/series", new Dictionary<string, string?>
    {
        ["run"] = string.Join(',', Runs.Select(run => run.Id)),
        ["metric"] = _state.Metric,
        ["axis"] = AxisNames.Of(_state.Axis),
        ["from"] = _state.From?.ToString("R", CultureInfo.InvariantCulture),
        ["to"] = _state.To?.ToString("R", CultureInfo.InvariantCulture),
        ["buckets"] = SeriesQuery.MostBuckets.ToString(CultureInfo.InvariantCulture),
        ["format"] = "csv",
    });

    /// <summary>Called by the island: a person has chosen a range; null for an open end.</summary>
    [JSInvokable]
    public void RangeChanged(double? from, double? to) => Change(_state with { From = from, To = to });

    protected override void OnInitialized()
    {
        _state = ChartState.Read(Navigation.Uri);
        Navigation.LocationChanged += OnLocationChanged;
    }

    protected override string Module => "chart/chart.js";

    protected override object?[] Arguments()
    {
        (_shownProgress, _shownRuns, _wasDark) = (Progress, Runs, IsDark);
        _self = DotNetObjectReference.Create(this);
        return [Described(), _self];
    }

    protected override async Task RefreshAsync()
    {
        if (IsDark != _wasDark || !Runs.SequenceEqual(_shownRuns ?? []))
        {
            (_shownRuns, _wasDark) = (Runs, IsDark);
            await CallAsync("update", Described());
        }

        if (!Equals(Progress, _shownProgress))
        {
            _shownProgress = Progress;
            if (Only is not null)
            {
                // Its axis goes on with the other's.
                await CallAsync("update", Described());
            }

            await CallAsync("more");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        Navigation.LocationChanged -= OnLocationChanged;
        await base.DisposeAsync();
        _self?.Dispose();
    }

    private void ChangeAxis(string axis) => Change(_state with { Axis = AxisNames.Find(axis) ?? SeriesAxis.Step, From = null, To = null });

    private void ChangeSmoothing(string weight) => Change(_state with { Smoothing = double.Parse(weight, CultureInfo.InvariantCulture) });

    /// <summary>The address changes, and the chart with it.</summary>
    private void Change(ChartState state) => Navigation.NavigateTo(state.Write(Navigation.Uri), replace: true);

    private void OnLocationChanged(object? sender, LocationChangedEventArgs change)
    {
        var state = ChartState.Read(change.Location);
        if (state != _state)
        {
            _state = state;
            _ = InvokeAsync(() =>
            {
                StateHasChanged();
                return CallAsync("update", Described());
            });
        }
    }

    private Task PngAsync() => CallAsync("png", $"{_state.Metric}.png");

    /// <summary>Of a chart beside another the metric and the range are its own: as far as the run is, so that one step lies below the other.</summary>
    private ChartState Shown => Only is null ? _state : _state with
    {
        Metric = Only,
        IsTable = false,
        Smoothing = 0,
        LogY = false,
        From = _state.From ?? (_state is { Axis: SeriesAxis.Step, To: null } && Progress is long ? 1 : null),
        To = _state.To ?? (_state is { Axis: SeriesAxis.Step, From: null } && Progress is long step ? step : null),
    };

    private object Described()
    {
        var shown = Shown;
        return new
        {
            Runs,
            shown.Metric,
            Unit = EvaluationMetric.Is(shown.Metric) ? ScoreUnit : Units.GetValueOrDefault(shown.Metric, ""),
            Rank = 0,
            Axis = AxisNames.Of(shown.Axis),
            shown.From,
            shown.To,
            shown.Smoothing,
            shown.LogX,
            shown.LogY,
            shown.IsTable,
            IsDark,
        };
    }
}

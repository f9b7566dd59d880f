using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Api.Manifests;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Dashboard.Components.Pages;

/// <summary>A manifest is written, or made of another job's, checked by the API server without being kept, and submitted.</summary>
public sealed partial class NewJob : LiveComponent
{
    private ManifestEditor? _editor;
    private string _draft = "";
    private string _start = "";
    private string _source = "";
    private string _text = "";
    private string? _missing;
    private CheckedManifest? _checked;
    private bool _isChecking;
    private int _edits;

    /// <summary>NAMESPACE/NAME of the job whose manifest is taken.</summary>
    [SupplyParameterFromQuery(Name = "from")]
    private string? From { get; set; }

    /// <summary>Step of that job's checkpoint to begin with.</summary>
    [SupplyParameterFromQuery(Name = "step")]
    private string? Step { get; set; }

    [SupplyParameterFromQuery(Name = "queue")]
    private string? Queue { get; set; }

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    [Inject]
    private ManifestCheck Check { get; set; } = null!;

    [Inject]
    private JobActions Actions { get; set; } = null!;

    /// <summary>What would become of the job depends on the queues, whose statuses change when jobs come and go.</summary>
    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Queue;

    protected override async Task RefreshAsync(CancellationToken ct)
    {
        if (_draft.Length == 0)
        {
            Begin();
        }
        else if (_checked is { Manifest: { } manifest } before && await TryWhatIfAsync(manifest, ct) is { } report && _checked == before)
        {
            _checked = before with { WhatIf = report };
        }
    }

    private void Begin()
    {
        _draft = $"{From}@{Step}@{Queue}";
        _start = _text = StarterManifest.Of(Queue);
        if (string.IsNullOrEmpty(From))
        {
            return;
        }

        if (From.Split('/') is not [var @namespace, var name] || Live.Job(@namespace, name) is not { } job)
        {
            _missing = $"There is no job {From} (any more); here is a manifest to start with.";
            return;
        }

        _source = YamlText.Write(Resubmission.Manifest(job));
        _start = _text = YamlText.Write(Resubmission.Of(job, long.TryParse(Step, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null, candidate => Live.Job(@namespace, candidate) is not null));
    }

    private Task EditedAsync(string text)
    {
        _text = text;
        return CheckAsync(CancellationToken.None);
    }

    private async Task CheckAsync(CancellationToken ct)
    {
        var edit = ++_edits;
        _isChecking = true;
        var result = await Check.CheckAsync(_text, ct);
        // Of a text that is still there.
        if (edit == _edits)
        {
            (_checked, _isChecking) = (result, false);
        }
    }

    /// <summary>Null: there is no queue, or the API server does not tell now.</summary>
    private async Task<WhatIfReport?> TryWhatIfAsync(JobManifest manifest, CancellationToken ct)
    {
        try
        {
            return await Check.WhatIfAsync(manifest, ct);
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException)
        {
            return null;
        }
    }

    private Task ResetAsync() => _editor!.ResetAsync(_start);

    private async Task<ActionOutcome> SubmitAsync()
    {
        var manifest = _checked!.Manifest!;
        var outcome = await Actions.SubmitAsync(manifest);
        if (outcome.IsDone)
        {
            await _editor!.ResetAsync(_start);
            Navigation.NavigateTo($"/jobs/{manifest.Namespace}/{manifest.Name}");
        }

        return outcome;
    }
}

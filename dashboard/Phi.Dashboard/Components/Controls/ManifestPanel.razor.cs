using Microsoft.AspNetCore.Components;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Actions;

namespace Phi.Dashboard.Components.Controls;

/// <summary>A job's manifest as its user wrote it, and with the defaults that it runs with.</summary>
public sealed partial class ManifestPanel : ComponentBase
{
    private string _given = "";
    private string _whole = "";
    private long? _generation;

    [Parameter, EditorRequired]
    public required TrainingJob Job { get; set; }

    /// <summary>Default given.</summary>
    [SupplyParameterFromQuery(Name = "manifest")]
    private string? View { get; set; }

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    protected override void OnParametersSet()
    {
        if (_given.Length == 0 || _generation != Job.Metadata.Generation)
        {
            _generation = Job.Metadata.Generation;
            _given = YamlText.Write(Resubmission.Manifest(Job));
            _whole = YamlText.Write(Resubmission.Manifest(TrainingJobDefaults.Apply(Job)));
        }
    }

    private void Go(string view) => Navigation.NavigateTo(Navigation.GetUriWithQueryParameter("manifest", view == "given" ? null : view), replace: true);
}

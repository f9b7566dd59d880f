using Phi.Api.TrainingJobs;
using Phi.Dashboard.Components.Controls;
using Phi.Kubernetes;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Every job, newest first.</summary>
public sealed partial class Jobs : LiveComponent
{
    private IReadOnlyList<TrainingJob> _jobs = [];

    protected override bool Concerns(ResourceKey job) => true;

    protected override Task RefreshAsync(CancellationToken ct)
    {
        _jobs = Live.Jobs;
        return Task.CompletedTask;
    }
}

using Microsoft.AspNetCore.Components;
using Phi.Api.CronTrainingJobs;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Every cron job: when it runs next, when it ran, and what runs now.</summary>
public sealed partial class Crons : LiveComponent
{
    private IReadOnlyList<CronTrainingJob> _crons = [];

    [Inject]
    private JobActions Actions { get; set; } = null!;

    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Cron;

    protected override Task RefreshAsync(CancellationToken ct)
    {
        _crons = Live.Crons;
        return Task.CompletedTask;
    }
}

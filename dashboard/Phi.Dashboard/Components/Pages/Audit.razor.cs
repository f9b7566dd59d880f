using Microsoft.AspNetCore.Components;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Components.Pages;

/// <summary>What people did by way of the dashboard, or were refused.</summary>
public sealed partial class Audit : LiveComponent
{
    private const int Most = 500;
    private IReadOnlyList<AuditEntry> _entries = [];

    [Inject]
    private TelemetryStore Store { get; set; } = null!;

    protected override bool Concerns(LiveChange change) => change.Kind is LiveKind.Job or LiveKind.Cron;

    protected override async Task RefreshAsync(CancellationToken ct) => _entries = await Store.AuditsAsync(null, null, Most, ct);
}

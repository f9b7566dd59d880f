using Phi.Cli.Cluster;
using Phi.Kubernetes;

namespace Phi.Cli.Doctor;

/// <summary>Every check, in the order in which one depends on the other.</summary>
/// <param name="Account">The operator's, as NAMESPACE/NAME; null: it is looked for.</param>
/// <param name="Telemetry">Null: that of the local control plane.</param>
/// <param name="Dashboard">Null: that of the local control plane.</param>
internal sealed record Examination(string? Account, string? Telemetry, Uri? Dashboard)
{
    private const string NoCluster = "no cluster is known: start one with phi up, or name one with --kubeconfig";

    /// <summary>Of a machine without a cluster: whether it could have one.</summary>
    public static DoctorReport Machine(PhiHome home) =>
        new("this machine", [.. new MachineChecks(home).Run(), .. GpuLibraries.Run(), CheckResult.Skip("cluster", NoCluster)]);

    public async Task<DoctorReport> RunAsync(ClusterSession session, TimeProvider time, CancellationToken ct)
    {
        var (facts, home) = (new ClusterFacts(session), session.Target.Home);
        List<CheckResult> results = home is null ? [] : [.. new MachineChecks(home).Run()];
        try
        {
            var (server, now) = await ServerChecks.RunAsync(facts, time, ct);
            results.AddRange(server);
            results.AddRange(await ClusterAsync(facts, now ?? time.GetUtcNow(), home is not null, ct));
        }
        catch (Exception e) when (e is HttpRequestException or KubernetesApiException or IOException)
        {
            results.Add(CheckResult.Fail("API server", $"{session.Connection.Server} of {session.Target.Source}: {e.Message}", home is null ? "see that it runs and can be reached from here, and that the kubeconfig's credentials are right" : $"phi down --home {home.Root}, then phi up; its log is {home.Log("control-plane")}"));
        }

        results.AddRange(GpuLibraries.Run());
        results.Add(await TelemetryChecks.RunAsync(Telemetry ?? (home is null ? null : ClusterSettings.ReadOrCreate(home).Telemetry ?? home.TelemetryDatabase), ct));
        var local = home is null ? null : ClusterState.ReadRunning(home);
        results.Add(await DashboardCheck.RunAsync(Dashboard ?? (local is null ? null : new Uri(local.DashboardUrl)), ct));
        return new DoctorReport($"the cluster of {session.Target.Source}", results);
    }

    private async Task<IEnumerable<CheckResult>> ClusterAsync(ClusterFacts facts, DateTimeOffset now, bool isHere, CancellationToken ct) =>
    [
        .. await ClusterFacts.TryAsync("definitions", () => DefinitionChecks.RunAsync(facts, ct)),
        .. await ClusterFacts.TryAsync("permissions", () => PermissionChecks.RunAsync(facts, Account, ct)),
        .. await ClusterFacts.TryAsync("operator", () => OperatorChecks.RunAsync(facts, now, ct)),
        .. await ClusterFacts.TryAsync("nodes", () => NodeChecks.RunAsync(facts, now, ct)),
        .. await ClusterFacts.TryAsync("checkpoints", () => StoreChecks.RunAsync(facts, isHere, ct)),
    ];
}

using System.Globalization;
using Phi.Api.Metadata;
using Phi.Cli.Resources;

namespace Phi.Cli.Doctor;

/// <summary>Whether an operator leads, and how many stand by: by their Leases.</summary>
internal static class OperatorChecks
{
    private const string LeaderLease = "phi-operator";
    private const string Check = "operator";
    private const string Start = "start one: phi operator --kubeconfig FILE …, or phi up on one machine; its log says why it does not lead";

    /// <param name="now">The API server's time.</param>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(ClusterFacts facts, DateTimeOffset now, CancellationToken ct) =>
        Judge(await facts.ListAsync("coordination.k8s.io", "v1", "leases", null, $"&labelSelector={Uri.EscapeDataString($"{PhiNames.ManagedByLabel}=phi-orchestrator")}", ct), now);

    internal static IReadOnlyList<CheckResult> Judge(IReadOnlyList<ResourceRow> leases, DateTimeOffset now)
    {
        if (leases.FirstOrDefault(lease => lease.Name == LeaderLease) is not { } leader)
        {
            return [CheckResult.Fail(Check, $"no operator has ever led: there is no Lease {LeaderLease}", Start)];
        }

        var replicas = leases.Where(lease => lease.Text("metadata", "labels", PhiNames.ReplicaLabel) is not null).ToList();
        var fresh = replicas.Count(lease => IsFresh(lease, now));
        var (holder, age) = (leader.Text("spec", "holderIdentity") ?? "", Age(leader, now));
        return
        [
            holder.Length == 0 ? CheckResult.Fail(Check, "no operator leads: the Lease is free", Start)
                : !IsFresh(leader, now) ? CheckResult.Fail(Check, $"{holder} led, and has not renewed its Lease for {age}", Start)
                : CheckResult.Ok(Check, $"{holder} leads, renewed {age} ago; {fresh} of {replicas.Count} replicas are alive"),
            .. fresh < replicas.Count ? [CheckResult.Warn("operator replicas", $"{replicas.Count - fresh} have not renewed their Lease", "if they were not stopped on purpose, see their logs")] : Array.Empty<CheckResult>(),
        ];
    }

    /// <summary>A Lease counts for its duration; as much again for a busy API server.</summary>
    private static bool IsFresh(ResourceRow lease, DateTimeOffset now) =>
        lease.Time("spec", "renewTime") is { } renewed && now - renewed < 2 * TimeSpan.FromSeconds(lease.Number("spec", "leaseDurationSeconds") ?? 15);

    private static string Age(ResourceRow lease, DateTimeOffset now) =>
        lease.Time("spec", "renewTime") is { } renewed ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (now - renewed).TotalSeconds):0} s") : "ever";
}

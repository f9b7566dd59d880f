using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Leader;

/// <summary>Reads and writes one coordination.k8s.io/v1 Lease; every write holds only for the version that was read.</summary>
internal sealed class LeaseStore(KubernetesConnection connection, LeaseOptions options, TimeProvider time)
{
    private const string MicroTime = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public Task<V1Lease?> ReadAsync(CancellationToken ct) => connection.Leases().GetAsync(options.Namespace, options.Name, ct);

    /// <exception cref="KubernetesApiException">Conflict: somebody else was faster.</exception>
    public Task CreateAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return connection.Leases().CreateAsync(
            options.Namespace,
            new V1Lease
            {
                ApiVersion = "coordination.k8s.io/v1",
                Kind = "Lease",
                Metadata = new V1ObjectMeta { Name = options.Name, NamespaceProperty = options.Namespace, Labels = new Dictionary<string, string> { [PhiNames.ManagedByLabel] = "phi-orchestrator" } },
                Spec = new V1LeaseSpec { HolderIdentity = options.Identity, LeaseDurationSeconds = (int)options.Duration.TotalSeconds, AcquireTime = now, RenewTime = now, LeaseTransitions = 0 },
            },
            PhiNames.OperatorFieldManager,
            ct);
    }

    /// <summary>Renews the lease that this replica holds, or takes a free one.</summary>
    /// <exception cref="KubernetesApiException">Conflict: somebody else was faster.</exception>
    public Task TakeAsync(V1Lease read, CancellationToken ct)
    {
        var spec = new JsonObject
        {
            ["holderIdentity"] = options.Identity,
            ["leaseDurationSeconds"] = (int)options.Duration.TotalSeconds,
            ["renewTime"] = Now(),
        };
        if (read.Spec?.HolderIdentity != options.Identity)
        {
            spec["acquireTime"] = Now();
            spec["leaseTransitions"] = (read.Spec?.LeaseTransitions ?? 0) + 1;
        }

        return PatchAsync(read, spec, ct);
    }

    /// <summary>Frees the lease for whoever comes first.</summary>
    /// <exception cref="KubernetesApiException">Conflict: somebody else was faster.</exception>
    public Task ReleaseAsync(V1Lease read, CancellationToken ct) =>
        PatchAsync(read, new JsonObject { ["holderIdentity"] = "", ["leaseDurationSeconds"] = 1, ["renewTime"] = Now() }, ct);

    private Task<V1Lease> PatchAsync(V1Lease read, JsonObject spec, CancellationToken ct) => connection.Leases().MergePatchAsync(
        options.Namespace,
        options.Name,
        new JsonObject { ["metadata"] = new JsonObject { ["uid"] = read.Metadata.Uid, ["resourceVersion"] = read.Metadata.ResourceVersion }, ["spec"] = spec },
        PhiNames.OperatorFieldManager,
        null,
        ct);

    private string Now() => time.GetUtcNow().ToString(MicroTime, CultureInfo.InvariantCulture);
}

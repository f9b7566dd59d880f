using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Leader;

/// <summary>
/// Where each replica's agent API is: every replica announces its own on a Lease of its own, and follows the others'. A replica that was
/// not seen to renew for the lease's duration is taken for gone; much later its lease is removed.
/// </summary>
internal sealed partial class ReplicaDirectory(KubernetesConnection connection, LeaseOptions options, string url, TimeProvider time, ILogger logger)
{
    private const string Prefix = "phi-operator-replica-";
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RemoveAfter = TimeSpan.FromMinutes(10);
    private readonly Informer<V1Lease> _leases = new(connection.Leases(), options.Namespace, $"&labelSelector={Uri.EscapeDataString(PhiNames.ReplicaLabel)}", time, logger);
    private readonly ConcurrentDictionary<string, (string Url, long SeenAt)> _others = new(StringComparer.Ordinal);

    public IInformer Informer => _leases;

    /// <summary>The replicas' own URLs, this one's first.</summary>
    public IReadOnlyList<string> Urls => [url, .. _others.Where(entry => IsFresh(entry.Value.SeenAt)).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value.Url)];

    /// <summary>The URL of another replica; null if it is not known, or gone.</summary>
    public string? Find(string? identity) => identity is not null && _others.TryGetValue(identity, out var other) && IsFresh(other.SeenAt) ? other.Url : null;

    /// <summary>Follows and announces until cancelled; then takes this replica's announcement back, as far as that is possible.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await Task.WhenAll(_leases.RunAsync((_, _, now) => See(now), ct), AnnounceAsync(ct));
        }
        finally
        {
            if (options.ReleasesOnStop)
            {
                await WithdrawAsync();
            }
        }
    }

    private async Task WithdrawAsync()
    {
        using var bound = new CancellationTokenSource(options.RetryPeriod, time);
        try
        {
            await connection.Leases().DeleteAsync(options.Namespace, NameOf(options.Identity), null, null, bound.Token);
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException or OperationCanceledException)
        {
            LogTrouble(logger, e.Message);
        }
    }

    private async Task AnnounceAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await connection.Leases().ApplyAsync(options.Namespace, NameOf(options.Identity), Announcement(), PhiNames.OperatorFieldManager, null, ct);
                await RemoveDeadAsync(ct);
            }
            catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
            {
                LogTrouble(logger, e.Message);
            }

            await Task.Delay(RenewPeriod, time, ct);
        }
    }

    private JsonObject Announcement() => new()
    {
        ["apiVersion"] = "coordination.k8s.io/v1",
        ["kind"] = "Lease",
        ["metadata"] = new JsonObject
        {
            ["name"] = NameOf(options.Identity),
            ["namespace"] = options.Namespace,
            ["labels"] = new JsonObject { [PhiNames.ReplicaLabel] = "true", [PhiNames.ManagedByLabel] = "phi-orchestrator" },
            ["annotations"] = new JsonObject { [PhiNames.AgentUrlAnnotation] = url },
        },
        ["spec"] = new JsonObject
        {
            ["holderIdentity"] = options.Identity,
            ["leaseDurationSeconds"] = (int)LeaseDuration.TotalSeconds,
            ["renewTime"] = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        },
    };

    /// <summary>Any replica may do it; the second one finds nothing left.</summary>
    private async Task RemoveDeadAsync(CancellationToken ct)
    {
        foreach (var lease in _leases.All.Where(lease => lease.Spec?.HolderIdentity is { } holder && _others.TryGetValue(holder, out var other) && time.GetElapsedTime(other.SeenAt) > RemoveAfter).ToList())
        {
            await connection.Leases().DeleteAsync(options.Namespace, lease.Metadata.Name, lease.Metadata.Uid, null, ct);
            _others.TryRemove(lease.Spec.HolderIdentity, out _);
        }
    }

    private void See(V1Lease? lease)
    {
        if (lease?.Spec?.HolderIdentity is { } holder && holder != options.Identity && lease.Metadata.Annotations is { } annotations && annotations.TryGetValue(PhiNames.AgentUrlAnnotation, out var other))
        {
            _others[holder] = (other, time.GetTimestamp());
        }
    }

    private bool IsFresh(long seenAt) => time.GetElapsedTime(seenAt) < LeaseDuration;

    private static string NameOf(string identity) => Prefix + identity;

    [LoggerMessage(1, LogLevel.Warning, "This replica could not be announced, or a dead one not removed: {Problem}")]
    private static partial void LogTrouble(ILogger logger, string problem);
}

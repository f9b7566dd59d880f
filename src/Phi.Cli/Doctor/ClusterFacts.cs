using System.Text.Json.Nodes;
using Phi.Cli.Cluster;
using Phi.Cli.Resources;
using Phi.Kubernetes;

namespace Phi.Cli.Doctor;

/// <summary>What several checks ask of a cluster. A question that the API server refuses is a skipped check, not the end of all.</summary>
internal sealed class ClusterFacts(ClusterSession session)
{
    private const string Json = "application/json";

    public ClusterSession Session => session;

    public Task<JsonObject> GetAsync(string path, CancellationToken ct) => session.Connection.SendAsync(HttpMethod.Get, path, null, Json, ct);

    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken ct) => session.Connection.SendAsync(HttpMethod.Post, path, body, Json, ct);

    public async Task<IReadOnlyList<ResourceRow>> ListAsync(string group, string version, string plural, string? @namespace, string? selector, CancellationToken ct)
    {
        var (items, _) = await new ResourceClient<JsonObject>(session.Connection, group, version, plural).ListAsync(@namespace, selector, item => new ResourceRow(item), ct);
        return items;
    }

    /// <summary>The check's results, or why there are none.</summary>
    public static async Task<IReadOnlyList<CheckResult>> TryAsync(string check, Func<Task<IReadOnlyList<CheckResult>>> run)
    {
        try
        {
            return await run();
        }
        catch (KubernetesApiException e) when (e.Code is System.Net.HttpStatusCode.Forbidden)
        {
            return [CheckResult.Skip(check, $"this user may not look: {e.Message}")];
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
        {
            return [CheckResult.Fail(check, e.Message, "see the API server's log, then run this again")];
        }
    }
}

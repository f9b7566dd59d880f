using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Phi.Cli.Cluster;
using Phi.Kubernetes;

namespace Phi.Cli.Resources;

/// <summary>Objects of a kind as the API server has them, not yet read.</summary>
internal sealed class ResourceReader(ClusterSession session, ResourceKind kind)
{
    private const string Json = "application/json";
    private readonly ResourceClient<JsonObject> _client = new(session.Connection, Phi.Api.Metadata.PhiNames.Group, Phi.Api.Metadata.PhiNames.Version, kind.Plural);

    /// <param name="namespace">Null: of all.</param>
    public Task<(IReadOnlyList<JsonObject> Items, string Version)> ListAsync(string? @namespace, CancellationToken ct) => _client.ListAsync(kind.IsNamespaced ? @namespace : null, null, ct);

    /// <summary>Null: there is none of that name.</summary>
    public async Task<JsonObject?> GetAsync(string @namespace, string name, CancellationToken ct)
    {
        try
        {
            return await session.Connection.SendAsync(HttpMethod.Get, kind.Path(@namespace, name), null, Json, ct);
        }
        catch (KubernetesApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Every change from a list on, until cancelled; a watch that ends or breaks is opened again.</summary>
    /// <param name="name">Null: of all that the namespace has.</param>
    public async IAsyncEnumerable<JsonObject> WatchAsync(string? @namespace, string? name, string version, [EnumeratorCancellation] CancellationToken ct)
    {
        var selector = name is null ? null : $"&fieldSelector=metadata.name%3D{name}";
        while (true)
        {
            await foreach (var change in _client.WatchAsync(kind.IsNamespaced ? @namespace : null, selector, version, ct))
            {
                version = change.Version;
                if (change.Type is "ADDED" or "MODIFIED" or "DELETED")
                {
                    yield return change.ToJson();
                }
            }
        }
    }
}

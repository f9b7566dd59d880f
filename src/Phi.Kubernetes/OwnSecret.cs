using k8s.Models;
using Phi.Api.Metadata;

namespace Phi.Kubernetes;

/// <summary>Secrets that this product makes for itself.</summary>
public static class OwnSecret
{
    /// <summary>Creates it, unless it is there: another replica may be faster, and its content is the one.</summary>
    public static async Task EnsureAsync(KubernetesConnection connection, string @namespace, string name, IDictionary<string, byte[]>? data, string fieldManager, CancellationToken ct)
    {
        try
        {
            await connection.Secrets().CreateAsync(
                @namespace,
                new V1Secret
                {
                    ApiVersion = "v1",
                    Kind = "Secret",
                    Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = @namespace, Labels = new Dictionary<string, string> { [PhiNames.ManagedByLabel] = "phi-orchestrator" } },
                    Type = "Opaque",
                    Data = data,
                },
                fieldManager,
                ct);
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            // It is there.
        }
    }
}

using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.Cli.Cluster;

/// <summary>What a part of a cluster, operator or dashboard, may do: the rules of <c>charts/phi-orchestrator/files/rbac</c>.</summary>
internal static class PartRules
{
    /// <summary>Sections <c>cluster</c>, <c>namespaced</c> and <c>own</c>, each a list of PolicyRules (rbac.authorization.k8s.io/v1).</summary>
    public static JsonObject Of(string part)
    {
        using var stream = typeof(PartRules).Assembly.GetManifestResourceStream($"rbac/{part}.yaml")!;
        using var reader = new StreamReader(stream);
        return ManifestReader.Read(reader.ReadToEnd())[0];
    }
}

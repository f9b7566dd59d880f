using System.Text.Json.Nodes;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Operator.Execute;

/// <summary>What a pod needs to speak to its operator, as a volume: no Secret, and nothing secret in the pod's spec, which many may read.</summary>
internal static class OperatorAccess
{
    public static JsonObject Volume() => new()
    {
        ["name"] = AgentCredentials.Volume,
        ["projected"] = new JsonObject
        {
            ["sources"] = new JsonArray(
                new JsonObject
                {
                    ["serviceAccountToken"] = new JsonObject { ["audience"] = AgentCredentials.Audience, ["expirationSeconds"] = AgentCredentials.LifeSeconds, ["path"] = AgentCredentials.TokenFile },
                },
                new JsonObject { ["downwardAPI"] = new JsonObject { ["items"] = new JsonArray(Authority()) } }),
        },
    };

    private static JsonObject Authority() => new() { ["path"] = AgentCredentials.AuthorityFile, ["fieldRef"] = new JsonObject { ["fieldPath"] = $"metadata.annotations['{PhiNames.AuthorityAnnotation}']" } };

    public static JsonObject Mount() => new() { ["name"] = AgentCredentials.Volume, ["mountPath"] = AgentCredentials.Folder, ["readOnly"] = true };
}

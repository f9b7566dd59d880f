using System.Text;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>A secret's type, and stringData, which is written and never read: it becomes data.</summary>
internal static class SecretRules
{
    public static void ApplyDefaults(JsonObject secret)
    {
        secret["type"] ??= "Opaque";
        if (!secret.Remove("stringData", out var texts) || texts is not JsonObject members)
        {
            return;
        }

        var data = secret["data"] as JsonObject ?? (JsonObject)(secret["data"] = new JsonObject());
        foreach (var (name, text) in members)
        {
            data[name] = Convert.ToBase64String(Encoding.UTF8.GetBytes((string?)text ?? ""));
        }
    }
}

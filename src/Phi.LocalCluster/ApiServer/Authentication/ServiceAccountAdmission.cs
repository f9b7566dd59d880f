using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>
/// As the admission plugin ServiceAccount: a pod runs as an account of its namespace, <c>default</c> if it names none, and finds the
/// account's token, the server's certificate and its namespace in its containers, unless pod or account says
/// <c>automountServiceAccountToken: false</c>.
/// </summary>
internal static class ServiceAccountAdmission
{
    /// <summary>The account that every namespace has.</summary>
    public const string DefaultAccount = "default";

    /// <summary>The ConfigMap of every namespace with the certificate that clients in pods trust.</summary>
    public const string RootCertificate = "kube-root-ca.crt";
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const string VolumePrefix = "kube-api-access-";

    /// <param name="pod">A new one.</param>
    /// <exception cref="ApiException">403: there is no such account.</exception>
    public static void Admit(ObjectStore store, JsonObject pod)
    {
        var (metadata, spec) = (pod["metadata"]!, pod["spec"]!.AsObject());
        var @namespace = (string)metadata["namespace"]!;
        var name = (string?)spec["serviceAccountName"] is { Length: > 0 } given ? given : (string?)spec["serviceAccount"] is { Length: > 0 } former ? former : DefaultAccount;
        // The former name of the field is kept equal.
        (spec["serviceAccountName"], spec["serviceAccount"]) = (name, name);
        var account = store.Get(BuiltInResources.ServiceAccounts.Storage, new ObjectKey(@namespace, name))
            ?? throw ApiException.Forbidden("pods", (string?)metadata["name"] ?? "", $"error looking up service account {@namespace}/{name}: serviceaccount \"{name}\" not found");
        if ((bool?)spec["automountServiceAccountToken"] ?? (bool?)account["automountServiceAccountToken"] ?? true)
        {
            MountToken(spec);
        }

        if (spec["imagePullSecrets"] is not JsonArray { Count: > 0 } && account["imagePullSecrets"] is JsonArray { Count: > 0 } secrets)
        {
            spec["imagePullSecrets"] = secrets.DeepClone();
        }
    }

    private static void MountToken(JsonObject spec)
    {
        var containers = Items(spec, "initContainers").Concat(Items(spec, "containers")).Where(container => !Items(container, "volumeMounts").Any(mount => (string?)mount["mountPath"] == MountPath)).ToList();
        if (containers.Count == 0)
        {
            return;
        }

        var volume = Items(spec, "volumes").Select(existing => (string?)existing["name"]).FirstOrDefault(existing => existing?.StartsWith(VolumePrefix, StringComparison.Ordinal) == true);
        if (volume is null)
        {
            volume = VolumePrefix + ResourceService.Suffix();
            Add(spec, "volumes", Volume(volume));
        }

        containers.ForEach(container => Add(container, "volumeMounts", new JsonObject { ["name"] = volume, ["readOnly"] = true, ["mountPath"] = MountPath }));
    }

    /// <summary>The token is asked for an hour and a little, by which Kubernetes tells it from one that somebody asked for.</summary>
    private static JsonNode Volume(string name) => JsonNode.Parse($$$"""
        {
          "name": "{{{name}}}",
          "projected": {
            "defaultMode": 420,
            "sources": [
              {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
              {"configMap": {"name": "{{{RootCertificate}}}", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
              {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}
            ]
          }
        }
        """)!;

    private static IEnumerable<JsonObject> Items(JsonObject value, string list) => (value[list] as JsonArray ?? []).OfType<JsonObject>();

    private static void Add(JsonObject value, string list, JsonNode item)
    {
        if (value[list] is not JsonArray items)
        {
            value[list] = items = [];
        }

        items.Add(item);
    }
}

using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Lifecycle;

/// <summary>
/// What every namespace has, again if somebody deletes or changes it: the service account <c>default</c>, and the ConfigMap
/// <c>kube-root-ca.crt</c> with the certificate that clients in pods trust.
/// </summary>
internal sealed class NamespaceContents(ResourceService service, string certificate)
{
    public static IReadOnlySet<string> Watched { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        BuiltInResources.Namespaces.Storage,
        BuiltInResources.ServiceAccounts.Storage,
        BuiltInResources.ConfigMaps.Storage,
    };

    public static void EnsureAccount(ResourceService service, string @namespace) => Ensure(service, BuiltInResources.ServiceAccounts, @namespace, ServiceAccountAdmission.DefaultAccount, []);

    public TimeSpan? Pass()
    {
        foreach (var home in service.Store.List(BuiltInResources.Namespaces.Storage).Items.Where(home => !Conditions.IsEnding(home)))
        {
            var @namespace = (string)home["metadata"]!["name"]!;
            EnsureAccount(service, @namespace);
            Ensure(service, BuiltInResources.ConfigMaps, @namespace, ServiceAccountAdmission.RootCertificate, new JsonObject { ["data"] = new JsonObject { ["ca.crt"] = certificate } });
        }

        return null;
    }

    private static void Ensure(ResourceService service, ResourceType type, string @namespace, string name, JsonObject content)
    {
        try
        {
            var there = service.Store.Get(type.Storage, new ObjectKey(@namespace, name));
            if (there is null)
            {
                var value = content.DeepClone().AsObject();
                value["metadata"] = new JsonObject { ["name"] = name };
                service.Create(type, @namespace, value, WriteOptions.Server);
            }
            else if (content.Any(field => !JsonNode.DeepEquals(there[field.Key], field.Value)))
            {
                service.Store.TryChange(type, new ObjectKey(@namespace, name), changed =>
                {
                    foreach (var (field, wanted) in content)
                    {
                        changed[field] = wanted!.DeepClone();
                    }
                });
            }
        }
        catch (ApiException e) when (e.Code is 403 or 404 or 409)
        {
            // The namespace goes, or somebody else made or deleted it meanwhile; the next pass sees to it.
        }
    }
}

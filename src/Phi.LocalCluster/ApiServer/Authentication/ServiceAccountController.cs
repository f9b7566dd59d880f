using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>Gives every namespace its service account <c>default</c>, again if somebody deletes it.</summary>
internal sealed class ServiceAccountController(ResourceService service)
{
    private const string Name = "default";

    public static IReadOnlySet<string> Watched { get; } =
        new HashSet<string>(StringComparer.Ordinal) { BuiltInResources.Namespaces.Storage, BuiltInResources.ServiceAccounts.Storage };

    public TimeSpan? Pass()
    {
        foreach (var home in service.Store.List(BuiltInResources.Namespaces.Storage).Items.Where(home => !Conditions.IsEnding(home)))
        {
            var @namespace = (string)home["metadata"]!["name"]!;
            if (service.Store.Get(BuiltInResources.ServiceAccounts.Storage, new ObjectKey(@namespace, Name)) is not null)
            {
                continue;
            }

            try
            {
                service.Create(BuiltInResources.ServiceAccounts, @namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = Name } }, WriteOptions.Server);
            }
            catch (ApiException e) when (e.Code is 403 or 404 or 409)
            {
                // The namespace goes, or somebody else made the account.
            }
        }

        return null;
    }
}

using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Lifecycle;

/// <summary>
/// Ends what deletions left: dependents whose owners are all gone, foreground and orphan deletions, the content of a terminating
/// namespace, and the objects of a definition that goes. Every pass looks at the whole state, so nothing is forgotten over a restart.
/// </summary>
internal sealed class GarbageCollector(ResourceService service)
{
    public async Task RunAsync(CancellationToken ct)
    {
        using var subscription = service.Store.Subscribe(resource: null, service.Store.Version)!;
        Collect();
        while (await subscription.Events.WaitToReadAsync(ct))
        {
            var isWorth = false;
            while (subscription.Events.TryRead(out var change))
            {
                // Only a deletion, its mark, or a finalizer's end can leave something to collect; or a dependent that comes too late.
                isWorth |= change.Type == StoreEventType.Deleted || change.Object["metadata"]!["deletionTimestamp"] is not null
                    || (change.Type == StoreEventType.Added && change.Object["metadata"]!["ownerReferences"] is not null);
            }

            if (isWorth)
            {
                Collect();
            }
        }
    }

    private void Collect()
    {
        var all = service.Store.Everything();
        var uids = all.Select(item => Text(item.Object, "uid")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var (resource, key, value) in all)
        {
            try
            {
                if (service.Catalog.FindStorage(resource) is { } type)
                {
                    Visit(type, key, value, uids, all);
                }
            }
            catch (ApiException e) when (e.Code is 404 or 409)
            {
                // Changed meanwhile; its change brings the next pass.
            }
        }
    }

    private void Visit(ResourceType type, ObjectKey key, JsonObject value, HashSet<string> uids, IReadOnlyList<(string Resource, ObjectKey Key, JsonObject Object)> all)
    {
        var isEnding = value["metadata"]!["deletionTimestamp"] is not null;
        if (!isEnding && Owners(value) is { Count: > 0 } owners && !owners.Exists(owner => uids.Contains((string)owner["uid"]!)))
        {
            service.Delete(type, key, new DeleteOptions(PropagationPolicy: "Background", Uid: Text(value, "uid")));
        }

        if (!isEnding)
        {
            return;
        }

        if (HasFinalizer(value, ResourceService.OrphanFinalizer))
        {
            Orphan(value, all);
            RemoveFinalizer(type, key, ResourceService.OrphanFinalizer);
        }

        if (HasFinalizer(value, ResourceService.ForegroundFinalizer) && !DeleteAll(all.Where(item => Owners(item.Object).Exists(owner => (string?)owner["uid"] == Text(value, "uid"))), "Foreground"))
        {
            RemoveFinalizer(type, key, ResourceService.ForegroundFinalizer);
        }

        if (HasFinalizer(value, ResourceService.DefinitionFinalizer))
        {
            var resource = key.Name;
            if (!DeleteAll(all.Where(item => item.Resource == resource), "Background"))
            {
                RemoveFinalizer(type, key, ResourceService.DefinitionFinalizer);
                service.Catalog.Use(service.Store.List(type.Storage).Items);
            }
        }

        if (type == BuiltInResources.Namespaces && !DeleteAll(all.Where(item => item.Key.Namespace == key.Name), "Background"))
        {
            service.Store.TryChange(type, key, @namespace => @namespace["spec"]!["finalizers"] = new JsonArray());
        }
    }

    /// <summary>Asks for the deletion of each; true if there was one.</summary>
    private bool DeleteAll(IEnumerable<(string Resource, ObjectKey Key, JsonObject Object)> items, string propagation)
    {
        var found = false;
        foreach (var (resource, key, value) in items)
        {
            found = true;
            if (value["metadata"]!["deletionTimestamp"] is null && service.Catalog.FindStorage(resource) is { } type)
            {
                try
                {
                    service.Delete(type, key, new DeleteOptions(PropagationPolicy: propagation, Uid: Text(value, "uid")));
                }
                catch (ApiException e) when (e.Code is 404 or 409)
                {
                    // Gone or replaced; the next pass sees it.
                }
            }
        }

        return found;
    }

    private void Orphan(JsonObject owner, IReadOnlyList<(string Resource, ObjectKey Key, JsonObject Object)> all)
    {
        var uid = Text(owner, "uid");
        foreach (var (resource, key, value) in all)
        {
            if (Owners(value).Exists(reference => (string?)reference["uid"] == uid) && service.Catalog.FindStorage(resource) is { } type)
            {
                service.Store.TryChange(type, key, dependent => dependent["metadata"]!["ownerReferences"]!.AsArray().RemoveAll(reference => (string?)reference?["uid"] == uid));
            }
        }
    }

    private void RemoveFinalizer(ResourceType type, ObjectKey key, string name) =>
        service.Store.TryChange(type, key, value => (value["metadata"]!["finalizers"] as JsonArray)?.RemoveAll(finalizer => (string?)finalizer == name));

    private static bool HasFinalizer(JsonObject value, string name) => (value["metadata"]!["finalizers"] as JsonArray ?? []).Any(finalizer => (string?)finalizer == name);

    private static List<JsonNode> Owners(JsonObject value) => [.. (value["metadata"]!["ownerReferences"] as JsonArray ?? []).OfType<JsonNode>()];

    private static string? Text(JsonObject value, string field) => (string?)value["metadata"]![field];
}

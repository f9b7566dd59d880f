using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Changes that the server itself makes, past the rules for clients.</summary>
internal static class StoreChanges
{
    /// <summary>Changes a copy of the object and stores it, again if somebody was faster. An error of the change ends it.</summary>
    /// <exception cref="ApiException">The object is not there.</exception>
    public static void TryChange(this ObjectStore store, ResourceType type, ObjectKey key, Action<JsonObject> change)
    {
        while (true)
        {
            var old = store.Get(type.Storage, key) ?? throw ApiException.NotFound(type.Resource, key.Name);
            var value = old.DeepClone().AsObject();
            change(value);
            if (JsonNode.DeepEquals(old, value)
                || (Deletion.IsFinished(type, value) ? store.TryRemove(type.Storage, key, old) : store.TryPut(type.Storage, key, value, old)) is not null)
            {
                return;
            }
        }
    }
}

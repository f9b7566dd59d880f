using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Lifecycle;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Creates, changes and deletes objects by the rules of their kind.</summary>
internal sealed class ResourceService(ObjectStore store, ResourceCatalog catalog, TimeProvider clock)
{
    public const string ForegroundFinalizer = "foregroundDeletion";
    public const string OrphanFinalizer = "orphan";
    public const string DefinitionFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    private readonly ObjectAdmission _admission = new(store, clock);

    public ObjectStore Store => store;

    public ResourceCatalog Catalog => catalog;

    /// <summary>As it is stored; <see cref="ObjectView"/> is what a client may see of it.</summary>
    public JsonObject Get(ResourceType type, ObjectKey key) =>
        store.Get(type.Storage, key) ?? throw ApiException.NotFound(type.Resource, key.Name);

    public JsonObject Create(ResourceType type, string @namespace, JsonObject body, WriteOptions options)
    {
        var value = body.DeepClone().AsObject();
        var metadata = (value["metadata"] ??= new JsonObject()).AsObject();
        if (string.IsNullOrEmpty((string?)metadata["name"]) && (string?)metadata["generateName"] is { Length: > 0 } prefix)
        {
            metadata["name"] = prefix + Suffix();
        }

        _admission.Create(type, @namespace, value, options);
        ManagedFields.TrackUpdate(null, value, type, options.FieldManager, null, clock.GetUtcNow());
        return Insert(type, value, options);
    }

    /// <param name="subresource">Null for the object itself, or <c>status</c>.</param>
    public JsonObject Update(ResourceType type, ObjectKey key, JsonObject body, string? subresource, WriteOptions options)
    {
        var isUnconditional = string.IsNullOrEmpty((string?)body["metadata"]?["resourceVersion"]);
        return Change(type, key, subresource, options, _ => type.IsCustom && isUnconditional
            ? throw ApiException.Invalid(type.Group, type.Kind, key.Name, [FieldError.Invalid("metadata.resourceVersion", "0x0", "must be specified for an update")])
            : body.DeepClone().AsObject());
    }

    /// <summary>Reads, changes and writes until nobody was faster; a resourceVersion in the change makes it conditional.</summary>
    public JsonObject Change(ResourceType type, ObjectKey key, string? subresource, WriteOptions options, Func<JsonObject, JsonObject> change)
    {
        while (true)
        {
            var stored = Get(type, key);
            var old = ObjectView.Of(type, stored);
            var value = change(old);
            CheckPreconditions(type, key, old, (string?)value["metadata"]?["uid"], (string?)value["metadata"]?["resourceVersion"]);
            value = _admission.Update(type, key, old, value, subresource, options);
            ManagedFields.TrackUpdate(old, value, type, options.FieldManager, subresource, clock.GetUtcNow());
            if (Replace(type, key, stored, value, options) is { } written)
            {
                return written;
            }
        }
    }

    /// <summary>Server-side apply: creates the object if it is not there.</summary>
    public (JsonObject Object, bool IsNew) Apply(ResourceType type, ObjectKey key, JsonObject applied, string? subresource, WriteOptions options)
    {
        TypedPatch.Check(applied, type);
        while (true)
        {
            var stored = store.Get(type.Storage, key);
            if (stored is null && subresource is not null)
            {
                throw ApiException.NotFound(type.Resource, key.Name);
            }

            if (stored is null)
            {
                options.Access?.RequireCreate(type, key);
            }

            var old = stored is null ? null : ObjectView.Of(type, stored);
            var merged = ServerSideApply.Apply(old, applied, type, options.FieldManager, subresource, options.Force, clock.GetUtcNow());
            if (stored is null)
            {
                merged["metadata"]!["name"] = key.Name;
                _admission.Create(type, key.Namespace, merged, options);
                return (Insert(type, merged, options), true);
            }

            CheckPreconditions(type, key, stored, (string?)applied["metadata"]?["uid"], (string?)applied["metadata"]?["resourceVersion"]);
            var managed = merged["metadata"]!["managedFields"]?.DeepClone();
            merged = _admission.Update(type, key, old!, merged, subresource, options);
            merged["metadata"]!["managedFields"] = managed;
            if (Replace(type, key, stored, merged, options) is { } written)
            {
                return (written, false);
            }
        }
    }

    /// <summary>The object's last state, and whether it is gone (else finalizers or its grace period hold it).</summary>
    public (JsonObject Object, bool IsGone) Delete(ResourceType type, ObjectKey key, DeleteOptions options)
    {
        while (true)
        {
            var old = Get(type, key);
            CheckPreconditions(type, key, old, options.Uid, options.ResourceVersion);
            var value = old.DeepClone().AsObject();
            var isHeld = Deletion.Mark(type, value, options, clock.GetUtcNow());
            if (options.DryRun)
            {
                return (value, !isHeld);
            }

            if (isHeld)
            {
                if (JsonNode.DeepEquals(old, value))
                {
                    return (old, false);
                }

                if (store.TryPut(type.Storage, key, value, old) is { } marked)
                {
                    return (marked, false);
                }
            }
            else if (store.TryRemove(type.Storage, key, old) is { } last)
            {
                AfterWrite(type);
                return (last, true);
            }
        }
    }

    private JsonObject Insert(ResourceType type, JsonObject value, WriteOptions options)
    {
        var key = KeyOf(value);
        if (options.DryRun)
        {
            return store.Get(type.Storage, key) is null ? value : throw ApiException.AlreadyExists(type.Resource, key.Name);
        }

        var written = store.TryPut(type.Storage, key, value, expected: null) ?? throw ApiException.AlreadyExists(type.Resource, key.Name);
        ObjectView.Remember(type, written);
        AfterWrite(type);
        if (type == BuiltInResources.Namespaces)
        {
            // At once, so that a pod may follow; kube-apiserver waits for its controller instead.
            NamespaceContents.EnsureAccount(this, key.Name);
        }

        return written;
    }

    /// <summary>Null if somebody else was faster. An object that was only waiting for its finalizers goes when the last one does.</summary>
    private JsonObject? Replace(ResourceType type, ObjectKey key, JsonObject stored, JsonObject value, WriteOptions options)
    {
        if (options.DryRun)
        {
            return value;
        }

        if (Deletion.IsFinished(type, value))
        {
            return store.TryRemove(type.Storage, key, stored) is null ? null : value;
        }

        if (IsSame(stored, value))
        {
            return stored;
        }

        var written = store.TryPut(type.Storage, key, value, stored);
        if (written is not null)
        {
            ObjectView.Remember(type, written);
            AfterWrite(type);
        }

        return written;
    }

    /// <summary>A write that changes nothing of what is stored makes no new version, as in etcd3's store; one that drops what the definition no longer has does.</summary>
    private static bool IsSame(JsonObject old, JsonObject value)
    {
        return IsSameBut(old, value, "metadata", (before, now) => IsSameBut(
            before.AsObject(), now.AsObject(), "managedFields", (owners, others) => owners.AsArray().Count == others.AsArray().Count && owners.AsArray().Zip(others.AsArray()).All(pair => IsSameBut(pair.First!.AsObject(), pair.Second!.AsObject(), "time", (_, _) => true))));

        static bool IsSameBut(JsonObject before, JsonObject now, string special, Func<JsonNode, JsonNode, bool> isSame)
        {
            return Names(before).Concat(Names(now)).Distinct().All(name => (before[name], now[name]) is ({ } one, { } other) && name == special ? isSame(one, other) : JsonNode.DeepEquals(before[name], now[name]));
        }

        // An update may leave the version out.
        static IEnumerable<string> Names(JsonObject one) => one.Select(field => field.Key).Where(name => name != "resourceVersion");
    }

    private void AfterWrite(ResourceType type)
    {
        if (type == BuiltInResources.Definitions)
        {
            catalog.Use(store.List(type.Storage).Items);
        }
    }

    private static void CheckPreconditions(ResourceType type, ObjectKey key, JsonObject old, string? uid, string? resourceVersion)
    {
        if (!string.IsNullOrEmpty(uid) && uid != (string?)old["metadata"]!["uid"])
        {
            throw ApiException.Conflict(type.Resource, key.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {(string?)old["metadata"]!["uid"]}");
        }

        if (!string.IsNullOrEmpty(resourceVersion) && resourceVersion != (string?)old["metadata"]!["resourceVersion"])
        {
            throw ApiException.Modified(type.Resource, key.Name);
        }
    }

    public static ObjectKey KeyOf(JsonObject value) => new((string?)value["metadata"]!["namespace"] ?? "", (string)value["metadata"]!["name"]!);

    /// <summary>Five letters as Kubernetes makes them, without vowels or look-alikes.</summary>
    public static string Suffix() => System.Security.Cryptography.RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz2456789", 5);
}

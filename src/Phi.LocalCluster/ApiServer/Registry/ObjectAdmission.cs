using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Priority;
using Phi.LocalCluster.ApiServer.Schemas;
using Phi.LocalCluster.ApiServer.Storage;
using Phi.LocalCluster.ApiServer.Workloads;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Brings an object into the form that is stored: identity, defaults, pruning, validation, generation.</summary>
internal sealed class ObjectAdmission(ObjectStore store, TimeProvider clock)
{
    private static readonly string[] Identity = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "generateName"];

    public void Create(ResourceType type, string @namespace, JsonObject value, WriteOptions options)
    {
        CheckKind(type, value);
        var metadata = value["metadata"]!.AsObject();
        CheckNamespace(type, @namespace, metadata);
        foreach (var name in new[] { "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink" })
        {
            metadata.Remove(name);
        }

        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = ManagedFields.Stamp(clock.GetUtcNow());
        if (type.HasGeneration)
        {
            metadata["generation"] = 1;
        }

        if (type.HasStatus && type != BuiltInResources.Nodes)
        {
            value.Remove("status");
        }

        Shape(type, value, options);
        PriorityAdmission.Admit(store, type, value, old: null);
        if (type == BuiltInResources.Pods)
        {
            ServiceAccountAdmission.Admit(store, value);
            value["status"] = PodRules.InitialStatus(value, ManagedFields.Stamp(clock.GetUtcNow()));
        }
        else if (type == BuiltInResources.Namespaces)
        {
            value["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") };
            value["status"] = new JsonObject { ["phase"] = "Active" };
            (metadata["labels"] ??= new JsonObject())["kubernetes.io/metadata.name"] = (string?)metadata["name"];
        }

        Validate(type, value, null);
        options.Access?.CheckWrite(type, value, old: null);
        if (WorkloadRules.Warning(type) is { } warning)
        {
            options.Warnings.Add(warning);
        }

        if (type == BuiltInResources.Definitions)
        {
            DefinitionRules.Establish(value, ManagedFields.Stamp(clock.GetUtcNow()));
        }
    }

    /// <summary>The object as it will be stored: of the new value only what the subresource may change.</summary>
    public JsonObject Update(ResourceType type, ObjectKey key, JsonObject old, JsonObject value, string? subresource, WriteOptions options)
    {
        CheckKind(type, value);
        var metadata = (value["metadata"] ??= new JsonObject()).AsObject();
        if ((string?)metadata["name"] is { } name && name != key.Name)
        {
            throw ApiException.BadRequest($"the name of the object ({name}) does not match the name on the URL ({key.Name})");
        }

        if (subresource == "status")
        {
            var merged = old.DeepClone().AsObject();
            merged["status"] = value["status"]?.DeepClone();
            value = merged;
        }
        else
        {
            foreach (var field in Identity)
            {
                metadata[field] = old["metadata"]![field]?.DeepClone();
                if (metadata[field] is null)
                {
                    metadata.Remove(field);
                }
            }

            if (metadata["managedFields"] is not JsonArray { Count: > 0 })
            {
                metadata["managedFields"] = old["metadata"]!["managedFields"]?.DeepClone();
            }

            if (type.HasStatus)
            {
                value["status"] = old["status"]?.DeepClone();
                if (value["status"] is null)
                {
                    value.Remove("status");
                }
            }
        }

        Shape(type, value, options);
        PriorityAdmission.Admit(store, type, value, old);
        Validate(type, value, old);
        options.Access?.CheckWrite(type, value, old);
        if (type.HasGeneration && subresource != "status" && !IsSameWish(old, value))
        {
            value["metadata"]!["generation"] = ((long?)old["metadata"]!["generation"] ?? 1) + 1;
        }

        if (type == BuiltInResources.Definitions && subresource is null)
        {
            DefinitionRules.Establish(value, ManagedFields.Stamp(clock.GetUtcNow()));
        }

        return value;
    }

    /// <summary>Whether all but metadata and status is as it was.</summary>
    private static bool IsSameWish(JsonObject old, JsonObject value)
    {
        return Fields(old).All(name => JsonNode.DeepEquals(old[name], value[name])) && Fields(value).All(name => old.ContainsKey(name) || value[name] is null);

        static IEnumerable<string> Fields(JsonObject one) => one.Select(field => field.Key).Where(name => name is not ("metadata" or "status"));
    }

    private static void Shape(ResourceType type, JsonObject value, WriteOptions options)
    {
        value["apiVersion"] = type.ApiVersion;
        value["kind"] = type.Kind;
        if (!type.IsCustom)
        {
            SchemaDefaults.RemoveNulls(value);
        }

        var unknown = new List<string>();
        var sent = options is { IsPatch: true, FieldValidation: FieldValidation.Strict } ? value.ToJsonString() : "";
        SchemaDefaults.Prune(value, type.Schema, isObjectRoot: true, "", unknown);
        if (unknown.Count > 0 && options.FieldValidation == FieldValidation.Strict)
        {
            var problem = $"strict decoding error: {string.Join(", ", unknown.Select(path => $"unknown field \"{path}\""))}";
            throw options.IsPatch
                ? ApiException.Invalid("", "", "", [FieldError.Invalid("patch", JsonValue.Create(sent).ToJsonString(), problem)])
                : ApiException.BadRequest($"{type.Kind} in version \"{type.Version}\" cannot be handled as a {type.Kind}: {problem}");
        }

        if (options.FieldValidation == FieldValidation.Warn)
        {
            options.Warnings.AddRange(unknown.Select(path => $"unknown field \"{path}\""));
        }

        SchemaDefaults.Apply(value, type.Schema);
        if (type == BuiltInResources.Pods)
        {
            PodRules.ApplyDefaults(value);
        }
        else if (type == BuiltInResources.Services && value["spec"] is JsonObject spec)
        {
            spec["type"] ??= "ClusterIP";
            spec["sessionAffinity"] ??= "None";
        }
        else if (type == BuiltInResources.Secrets)
        {
            SecretRules.ApplyDefaults(value);
        }
        else
        {
            KindRules.ApplyDefaults(type, value);
        }
    }

    private static void Validate(ResourceType type, JsonObject value, JsonObject? old)
    {
        var errors = new List<FieldError>(ObjectRules.Check(value, isAnyName: type.Group == Rbac.Group));
        errors.AddRange(SchemaValidator.Validate(value, old, type.Schema));
        if (errors.Count == 0 && type == BuiltInResources.Pods)
        {
            errors.AddRange(PodRules.Check(value));
            errors.AddRange(old is null ? [] : PodRules.CheckUpdate(old, value));
        }

        if (errors.Count == 0)
        {
            errors.AddRange(KindRules.Check(type, value, old));
        }

        if (errors.Count == 0 && type == BuiltInResources.Definitions)
        {
            errors.AddRange(DefinitionRules.Check(value));
        }

        if (errors.Count > 0)
        {
            throw ApiException.Invalid(type.Group, type.Kind, (string?)value["metadata"]!["name"] ?? "", errors);
        }
    }

    private static void CheckKind(ResourceType type, JsonObject value)
    {
        if ((string?)value["apiVersion"] is { } apiVersion && apiVersion != type.ApiVersion)
        {
            throw ApiException.BadRequest($"the API version in the data ({apiVersion}) does not match the expected API version ({type.ApiVersion})");
        }

        if ((string?)value["kind"] is { } kind && kind != type.Kind)
        {
            throw ApiException.BadRequest($"the kind in the data ({kind}) does not match the expected kind ({type.Kind})");
        }
    }

    private void CheckNamespace(ResourceType type, string @namespace, JsonObject metadata)
    {
        if (!type.Namespaced)
        {
            metadata.Remove("namespace");
            return;
        }

        if ((string?)metadata["namespace"] is { Length: > 0 } given && given != @namespace)
        {
            throw ApiException.BadRequest($"the namespace of the provided object does not match the namespace sent on the request ({given} and {@namespace})");
        }

        metadata["namespace"] = @namespace;
        var home = store.Get("namespaces", new ObjectKey("", @namespace)) ?? throw ApiException.NotFound("namespaces", @namespace);
        if (home["metadata"]!["deletionTimestamp"] is not null)
        {
            throw ApiException.Forbidden(type.Resource, (string?)metadata["name"] ?? "", $"unable to create new content in namespace {@namespace} because it is being terminated");
        }
    }
}

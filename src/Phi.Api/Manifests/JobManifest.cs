using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Manifests;

/// <summary>A TrainingJob as a person wrote it; its namespace is filled in.</summary>
public sealed record JobManifest(string Namespace, string Name, JsonObject Value)
{
    /// <param name="yaml">One document.</param>
    /// <param name="home">Namespace of a job that names none.</param>
    /// <exception cref="FormatException">The text is no YAML, or does not hold exactly one TrainingJob with a name.</exception>
    public static JobManifest Parse(string yaml, string home = "default")
    {
        var documents = Documents(yaml);
        if (documents is not [var manifest])
        {
            throw new FormatException($"it holds {documents.Count} objects; give one TrainingJob, and the others to kubectl");
        }

        var (kind, version) = (Text(manifest["kind"]), Text(manifest["apiVersion"]));
        if (kind != "TrainingJob" || version != PhiNames.ApiVersion)
        {
            throw new FormatException($"it holds apiVersion '{version}', kind '{kind}'; this takes apiVersion '{PhiNames.ApiVersion}', kind 'TrainingJob'");
        }

        var metadata = manifest["metadata"] as JsonObject;
        var name = Text(metadata?["name"]) is { Length: > 0 } given ? given : throw new FormatException("metadata.name is missing; give the job a name");
        var @namespace = Text(metadata!["namespace"]) is { Length: > 0 } chosen ? chosen : home;
        metadata["namespace"] = @namespace;
        return new JobManifest(@namespace, name, manifest);
    }

    /// <summary>The job's spec, as far as the text has one.</summary>
    /// <exception cref="FormatException">A field's value is of another type; the message names it.</exception>
    public TrainingJobSpec Spec()
    {
        try
        {
            return Value["spec"]?.Deserialize<TrainingJobSpec>(PhiJson.Options) ?? new TrainingJobSpec();
        }
        catch (JsonException e)
        {
            throw new FormatException($"spec{e.Path?.TrimStart('$')}: {e.Message}", e);
        }
    }

    private static IReadOnlyList<JsonObject> Documents(string yaml)
    {
        try
        {
            return ManifestReader.Read(yaml);
        }
        catch (FormatException e)
        {
            throw new FormatException($"it is not valid YAML: {e.Message}", e);
        }
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}

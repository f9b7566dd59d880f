using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Api.Metadata;

namespace Phi.Cli.Jobs;

/// <summary>A file with one TrainingJob.</summary>
public sealed record ManifestFile(JobName Job, JsonObject Manifest)
{
    /// <exception cref="CliException">The file is missing, is not YAML, or does not hold exactly one TrainingJob.</exception>
    public static ManifestFile Read(string path)
    {
        string text;
        try
        {
            text = path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid($"cannot read {path}: {e.Message}");
        }

        IReadOnlyList<JsonObject> documents;
        try
        {
            documents = [.. ManifestReader.Read(text)];
        }
        catch (FormatException e)
        {
            throw Invalid($"{path} is not valid YAML: {e.Message}");
        }

        if (documents is not [var manifest])
        {
            throw Invalid($"{path} holds {documents.Count} objects; this command takes one TrainingJob. Split the file, or apply it with kubectl.");
        }

        var kind = Text(manifest["kind"]);
        var version = Text(manifest["apiVersion"]);
        if (kind != "TrainingJob" || version != PhiNames.ApiVersion)
        {
            throw Invalid($"{path} holds apiVersion '{version}', kind '{kind}'; this command needs apiVersion '{PhiNames.ApiVersion}', kind 'TrainingJob'.");
        }

        var metadata = manifest["metadata"] as JsonObject;
        var name = Text(metadata?["name"]) is { Length: > 0 } given ? given : throw Invalid($"{path}: metadata.name is missing; give the job a name.");
        var @namespace = Text(metadata!["namespace"]) is { Length: > 0 } chosen ? chosen : "default";
        metadata["namespace"] = @namespace;
        return new ManifestFile(new JobName(@namespace, name), manifest);
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static CliException Invalid(string message) => new(message, ExitCodes.InvalidManifest);
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Jobs;

namespace Phi.Cli.Planning;

/// <summary>A manifest's job that no API server sees: what one would refuse is refused here.</summary>
internal static class PlannedJob
{
    private static readonly JsonSerializerOptions Strict = new(PhiJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <returns>Valid, without defaults.</returns>
    /// <exception cref="CliException">What is wrong with it: every error, not the first.</exception>
    public static TrainingJob Read(ManifestFile file, string path) => Read(file.Manifest["spec"], file.Job, path);

    /// <summary>The job with settings of its spec replaced.</summary>
    /// <param name="settings">FIELD=VALUE, separated by commas; a field is a path below spec, such as zero.stage.</param>
    /// <exception cref="CliException">A setting is none, or the job with it is not valid.</exception>
    public static TrainingJob With(ManifestFile file, string settings)
    {
        var spec = file.Manifest["spec"]?.DeepClone() as JsonObject ?? [];
        foreach (var setting in settings.Split(','))
        {
            var parts = setting.Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts is not [{ Length: > 0 } field, { Length: > 0 } value])
            {
                throw new CliException($"--compare {settings}: '{setting}' is neither a manifest that exists nor FIELD=VALUE; write such as zero.stage=2", ExitCodes.Usage);
            }

            Set(spec, field.StartsWith("spec.", StringComparison.Ordinal) ? field["spec.".Length..] : field, value);
        }

        return Read(spec, file.Job, settings);
    }

    private static TrainingJob Read(JsonNode? value, JobName name, string source)
    {
        TrainingJobSpec spec;
        try
        {
            spec = value?.Deserialize<TrainingJobSpec>(Strict) ?? throw Invalid("spec is missing; describe the job");
        }
        catch (JsonException e)
        {
            throw Invalid($"spec{e.Path?.TrimStart('$')}: {e.Message}");
        }

        var job = new TrainingJob { Metadata = new ObjectMeta { Name = name.Name, Namespace = name.Namespace }, Spec = spec };
        return TrainingJobValidator.Validate(job) is { Count: > 0 } errors ? throw Invalid(string.Join("\n  ", errors)) : job;

        CliException Invalid(string problem) => new($"{source} is not valid:\n  {problem}", ExitCodes.InvalidManifest);
    }

    private static void Set(JsonObject spec, string field, string value)
    {
        var at = spec;
        var names = field.Split('.');
        foreach (var name in names[..^1])
        {
            if (at[name] is not JsonObject inner)
            {
                at[name] = inner = [];
            }

            at = inner;
        }

        at[names[^1]] = ManifestReader.Read(string.Create(CultureInfo.InvariantCulture, $"value: {value}"))[0]["value"]?.DeepClone();
    }
}

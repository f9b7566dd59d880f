using System.Text.Json.Nodes;
using Phi.Api.Manifests;

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

        try
        {
            var manifest = JobManifest.Parse(text);
            return new ManifestFile(new JobName(manifest.Namespace, manifest.Name), manifest.Value);
        }
        catch (FormatException e)
        {
            throw Invalid($"{path}: {e.Message}");
        }
    }

    private static CliException Invalid(string message) => new(message, ExitCodes.InvalidManifest);
}

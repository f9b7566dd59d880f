using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.Cli.Jobs;

/// <summary>A file with one TrainingJob.</summary>
public sealed record ManifestFile(JobName Job, JsonObject Manifest)
{
    /// <param name="path">- for standard input.</param>
    /// <param name="home">Namespace of a job that names none.</param>
    /// <exception cref="CliException">The file is missing, is not YAML, or does not hold exactly one TrainingJob.</exception>
    public static ManifestFile Read(string path, string home = JobName.DefaultNamespace)
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
            var manifest = JobManifest.Parse(text, home);
            return new ManifestFile(new JobName(manifest.Namespace, manifest.Name), manifest.Value);
        }
        catch (FormatException e)
        {
            throw Invalid($"{path}: {e.Message}");
        }
    }

    /// <summary>As kubectl does it: a namespace on the command line must be the manifest's.</summary>
    /// <exception cref="CliException">It is another.</exception>
    public ManifestFile In(string? @namespace) => @namespace is null || @namespace == Job.Namespace
        ? this
        : throw new CliException($"metadata.namespace of {Job.Name} is '{Job.Namespace}', --namespace is '{@namespace}'; they must be the same: leave one of them out", ExitCodes.Usage);

    private static CliException Invalid(string message) => new(message, ExitCodes.InvalidManifest);
}

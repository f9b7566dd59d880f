using System.Net;
using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;
using Phi.Cli.Resources;
using Phi.Kubernetes;

namespace Phi.Cli.Submission;

/// <summary>
/// A manifest on its way to the API server, by server-side apply: what is not there is created, what is there gets the manifest's values. Which
/// changes of a job are allowed the server says, by the rules of its CustomResourceDefinition.
/// </summary>
internal sealed class JobSubmission(ClusterSession session, ManifestFile file)
{
    public const string Manager = "phi-cli";
    private const string ApplyPatch = "application/apply-patch+yaml";
    private readonly ResourceReader _reader = new(session, ResourceKind.Job);

    public JobName Job => file.Job;

    /// <summary>The job as it is; null: there is none of the name.</summary>
    public Task<JsonObject?> LiveAsync(CancellationToken ct) => _reader.GetAsync(file.Job.Namespace, file.Job.Name, ct);

    /// <summary>What the job would be, every default filled in; the server keeps nothing of it.</summary>
    /// <exception cref="CliException">The server refuses the manifest, or this product's own rules do.</exception>
    public async Task<JsonObject> TryAsync(bool isForced, CancellationToken ct)
    {
        var result = await ApplyAsync(isForced, isDryRun: true, ct);
        return TrainingJobValidator.Validate(ResourceJson.Parse<TrainingJob>(result)) is { Count: > 0 } errors
            ? throw new CliException($"{file.Job} is not valid:\n  {string.Join("\n  ", errors)}", ExitCodes.InvalidManifest)
            : result;
    }

    /// <exception cref="CliException">The server refuses the manifest.</exception>
    public Task<JsonObject> ApplyAsync(bool isForced, CancellationToken ct) => ApplyAsync(isForced, isDryRun: false, ct);

    private async Task<JsonObject> ApplyAsync(bool isForced, bool isDryRun, CancellationToken ct)
    {
        try
        {
            return await SendAsync(isForced, isDryRun, ct);
        }
        catch (KubernetesApiException e) when (e.IsConflict && !isForced && IsOwn(e.Message))
        {
            // What phi suspend and phi resume wrote is no one else's.
            return await SendAsync(true, isDryRun, ct);
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            throw new SubmissionConflictException($"{file.Job}: {e.Message}\nThese values were set by others. Take them into the manifest or leave the fields out, or add --force-conflicts to take them over");
        }
        catch (KubernetesApiException e) when (e.IsUnfitApply || e.Code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.NotFound or HttpStatusCode.RequestEntityTooLarge)
        {
            throw new CliException($"{file.Job} is refused: {e.Message}{Remedy(e)}", ExitCodes.InvalidManifest);
        }
    }

    private Task<JsonObject> SendAsync(bool isForced, bool isDryRun, CancellationToken ct) => session.Connection.SendAsync(
        HttpMethod.Patch,
        $"{ResourceKind.Job.Path(file.Job.Namespace, file.Job.Name)}?fieldManager={Manager}&fieldValidation=Strict{(isForced ? "&force=true" : "")}{(isDryRun ? "&dryRun=All" : "")}",
        file.Manifest,
        ApplyPatch,
        ct);

    /// <summary>"conflict with "phi-cli" using …", for each of them.</summary>
    private static bool IsOwn(string message) => message.Contains("conflict", StringComparison.Ordinal)
        && message.Split("with \"").Skip(1).All(part => part.StartsWith($"{Manager}\"", StringComparison.Ordinal));

    private string Remedy(KubernetesApiException e) => e.IsUnfitApply ? "; the CustomResourceDefinitions may be of another release: phi doctor says so, kubectl apply -f operators/crds renews them"
        : !e.IsNotFound ? ""
        : e.Message.Contains("namespaces", StringComparison.Ordinal) ? $"; make it with kubectl create namespace {file.Job.Namespace}, or name another with -n"
        : "; the CustomResourceDefinitions may be missing: phi doctor says so, kubectl apply -f operators/crds makes them";
}

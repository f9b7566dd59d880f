using System.Text.Json.Nodes;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Cli.Jobs;

/// <summary>TrainingJobs over the Kubernetes API.</summary>
public sealed class JobClient(KubernetesConnection connection)
{
    private const string Manager = "phi-cli";

    /// <summary>The job, or null if there is none of that name.</summary>
    public Task<TrainingJob?> GetAsync(JobName name, CancellationToken cancellationToken) =>
        GuardAsync(() => connection.TrainingJobs().GetAsync(name.Namespace, name.Name, cancellationToken));

    /// <summary>Server-side apply of one manifest.</summary>
    /// <exception cref="CliException">The server refused it; its message is passed on.</exception>
    public Task<TrainingJob> ApplyAsync(JobName name, JsonObject manifest, CancellationToken cancellationToken) =>
        GuardAsync(() => connection.TrainingJobs().ApplyAsync(name.Namespace, name.Name, manifest, Manager, null, cancellationToken));

    /// <summary>A job of a CronTrainingJob's template, named after it with five random characters.</summary>
    /// <exception cref="CliException">There is no CronTrainingJob of that name, it has no template, or the server refused the job.</exception>
    public Task<TrainingJob> CreateOfCronAsync(JobName cron, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        var found = await connection.CronTrainingJobs().GetAsync(cron.Namespace, cron.Name, cancellationToken)
            ?? throw new CliException($"there is no CronTrainingJob {cron}; list them with phi get crons -A", ExitCodes.InvalidManifest);
        if (found.Spec.JobTemplate?.Spec is null)
        {
            throw new CliException($"CronTrainingJob {cron} has no spec.jobTemplate.spec; describe the jobs to create", ExitCodes.InvalidManifest);
        }

        var job = CronTemplate.Manual(found, GeneratedName.Of(cron.Name));
        return await connection.TrainingJobs().CreateAsync(cron.Namespace, job, Manager, cancellationToken);
    });

    public Task SuspendAsync(JobName name, bool suspend, CancellationToken cancellationToken) =>
        GuardAsync(() => connection.TrainingJobs().MergePatchAsync(name.Namespace, name.Name, new JsonObject { ["spec"] = new JsonObject { ["suspend"] = suspend } }, Manager, null, cancellationToken));

    public Task DeleteAsync(JobName name, CancellationToken cancellationToken) =>
        GuardAsync(() => connection.TrainingJobs().DeleteAsync(name.Namespace, name.Name, null, null, cancellationToken));

    private static async Task<T> GuardAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (KubernetesApiException e)
        {
            throw new CliException(e.Message, (int)e.Code is >= 400 and < 500 ? ExitCodes.InvalidManifest : ExitCodes.ControlPlaneUnavailable);
        }
    }
}

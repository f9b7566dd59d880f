using System.Text.Json.Nodes;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Dashboard.Actions;

/// <summary>What people do with jobs and cron jobs. Each is done to the very object that they saw.</summary>
internal sealed class JobActions(ActionGate gate, KubernetesConnection connection)
{
    public const string Manager = "phi-dashboard";

    public Task<ActionOutcome> SuspendAsync(TrainingJob job, bool suspend) =>
        SuspendAsync(connection.TrainingJobs(), Target("TrainingJob", job.Metadata), job.Metadata, suspend, suspend ? "saves a checkpoint and stops" : "goes on as soon as it is admitted");

    public Task<ActionOutcome> DeleteAsync(TrainingJob job)
    {
        var target = Target("TrainingJob", job.Metadata);
        return gate.TryAsync(PersonAction.Delete, target, $"uid {job.Metadata.Uid}", async _ =>
            await connection.TrainingJobs().DeleteAsync(target.Namespace, target.Name, job.Metadata.Uid, null, CancellationToken.None)
                ? $"{target} is being deleted; its checkpoints and curves stay."
                : $"{target} was gone already.");
    }

    public Task<ActionOutcome> SubmitAsync(JobManifest manifest)
    {
        var target = new ActionTarget("TrainingJob", manifest.Namespace, manifest.Name);
        return gate.TryAsync(PersonAction.Submit, target, YamlText.Write(manifest.Value), async _ =>
        {
            await connection.TrainingJobs().SubmitAsync(target.Namespace, manifest.Value, Manager, isDryRun: false, CancellationToken.None);
            return $"{target} is submitted.";
        });
    }

    public Task<ActionOutcome> SuspendAsync(CronTrainingJob cron, bool suspend) =>
        SuspendAsync(connection.CronTrainingJobs(), Target("CronTrainingJob", cron.Metadata), cron.Metadata, suspend, suspend ? "creates no jobs until it is resumed" : "follows its schedule again");

    public Task<ActionOutcome> RunNowAsync(CronTrainingJob cron)
    {
        var target = Target("CronTrainingJob", cron.Metadata);
        return gate.TryAsync(PersonAction.RunNow, target, "", async _ =>
        {
            var job = await connection.TrainingJobs().CreateAsync(target.Namespace, CronTemplate.Manual(cron, GeneratedName.Of(target.Name)), Manager, CancellationToken.None);
            return $"{target.Namespace}/{job.Metadata.Name} is submitted.";
        });
    }

    /// <summary>With the uid, so that an object which has taken the name since is refused.</summary>
    private Task<ActionOutcome> SuspendAsync<T>(ResourceClient<T> client, ActionTarget target, ObjectMeta metadata, bool suspend, string words) =>
        gate.TryAsync(suspend ? PersonAction.Suspend : PersonAction.Resume, target, "", async _ =>
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = metadata.Uid }, ["spec"] = new JsonObject { ["suspend"] = suspend } };
            await client.MergePatchAsync(target.Namespace, target.Name, patch, Manager, null, CancellationToken.None);
            return $"{target} {words}.";
        });

    private static ActionTarget Target(string kind, ObjectMeta metadata) => new(kind, metadata.Namespace ?? "", metadata.Name!);
}

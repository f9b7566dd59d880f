using System.Globalization;
using k8s.Exceptions;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Cli.Jobs;

namespace Phi.Cli.Checkpoints;

/// <summary>A store, and the step in it that was named; null: none was.</summary>
/// <param name="Name">As it was named.</param>
internal sealed record CheckpointSource(string Name, string Root, long? Step)
{
    private const string JobPrefix = "job/";

    /// <param name="location">A folder, an address, or job/NAME[@STEP].</param>
    /// <exception cref="CliException">There is no such place, no such job, or it has no checkpoint.</exception>
    public static async Task<CheckpointSource> ResolveAsync(string location, string @namespace, string kubeconfig, CancellationToken cancellationToken)
    {
        try
        {
            if (!location.StartsWith(JobPrefix, StringComparison.Ordinal))
            {
                var (root, step) = CheckpointLocation.Parse(location);
                return new CheckpointSource(location, root, step);
            }

            var (name, wanted) = ParseJob(location);
            using var client = new JobClient(kubeconfig);
            var job = new JobName(@namespace, name);
            var found = await client.GetAsync(job, cancellationToken)
                ?? throw new CliException($"there is no TrainingJob {job}; list them with kubectl get tj -A, or write ./{location} for a folder of that name", ExitCodes.Usage);
            var uri = found.Status?.Checkpoint?.Uri
                ?? throw new CliException($"job {job} has committed no checkpoint; see phi why {name} -n {@namespace}", ExitCodes.InvalidData);
            return found.Spec.Phi is null
                ? throw new CliException($"job {job} runs a program of its own, whose checkpoints phi does not read", ExitCodes.InvalidData)
                : new CheckpointSource(location, CheckpointLocation.Parse(uri).Root, wanted);
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
        catch (Exception e) when (e is HttpRequestException or KubeConfigException)
        {
            throw new CliException($"the API server of {kubeconfig} cannot be asked for {location}: {e.Message}", ExitCodes.ControlPlaneUnavailable);
        }
    }

    public CheckpointStore Open() => new(CheckpointLocation.Open(Root));

    /// <summary>The step that was named, or the newest whose manifest can be read.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public CheckpointManifest Manifest(CheckpointStore store, Action<string> onProblem)
    {
        if (Step is { } named)
        {
            return store.ReadManifest(named);
        }

        foreach (var step in store.CommittedSteps())
        {
            try
            {
                return store.ReadManifest(step);
            }
            catch (CheckpointException e)
            {
                onProblem($"checkpoint of step {step} is not used: {e.Message}");
            }
        }

        throw new CheckpointException($"'{Name}' holds no checkpoint; name a folder such as step-00000300, or the one that holds it");
    }

    private static (string Name, long? Step) ParseJob(string location)
    {
        var parts = location[JobPrefix.Length..].Split('@');
        var step = 0L;
        return parts is [{ Length: > 0 } name] ? (name, null)
            : parts is [{ Length: > 0 } other, var text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out step) ? (other, step)
            : throw new CliException($"'{location}' names no job's checkpoint; write job/NAME, or job/NAME@300 for its step 300", ExitCodes.Usage);
    }
}

using System.Globalization;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;
using Phi.Kubernetes;

namespace Phi.Cli.Checkpoints;

/// <summary>A store, and the step in it that was named; null: none was.</summary>
/// <param name="Name">As it was named.</param>
internal sealed record CheckpointSource(string Name, string Root, long? Step)
{
    private const string JobPrefix = "job/";

    /// <param name="location">A folder, an address, or job/NAME[@STEP].</param>
    /// <param name="open">The cluster, asked for job/NAME alone.</param>
    /// <exception cref="CliException">There is no such place, no such job, or it has no checkpoint.</exception>
    public static async Task<CheckpointSource> ResolveAsync(string location, Func<ClusterSession> open, CancellationToken cancellationToken)
    {
        try
        {
            if (!location.StartsWith(JobPrefix, StringComparison.Ordinal))
            {
                var (root, step) = CheckpointLocation.Parse(location);
                return new CheckpointSource(location, root, step);
            }

            var (name, wanted) = ParseJob(location);
            using var session = open();
            return await session.UseAsync(_ => OfJobAsync(location, new JobName(session.Namespace, name), wanted, session, cancellationToken));
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
    }

    private static async Task<CheckpointSource> OfJobAsync(string location, JobName job, long? wanted, ClusterSession session, CancellationToken cancellationToken)
    {
        var found = await session.Connection.TrainingJobs().GetAsync(job.Namespace, job.Name, cancellationToken)
            ?? throw new CliException($"there is no TrainingJob {job}; list them with phi get -A, or write ./{location} for a folder of that name", ExitCodes.Usage);
        var uri = found.Status?.Checkpoint?.Uri
            ?? throw new CliException($"job {job} has committed no checkpoint; see phi why {job.Name} -n {job.Namespace}", ExitCodes.InvalidData);
        return found.Spec.Phi is null
            ? throw new CliException($"job {job} runs a program of its own, whose checkpoints phi does not read", ExitCodes.InvalidData)
            : new CheckpointSource(location, CheckpointLocation.Parse(uri).Root, wanted);
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

using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Kubernetes;

namespace Phi.Cli.Doctor;

/// <summary>Whether the places where jobs save can be read from here.</summary>
internal static class StoreChecks
{
    private const string Check = "checkpoints";
    private const int Most = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="isHere">The nodes are this machine.</param>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(ClusterFacts facts, bool isHere, CancellationToken ct)
    {
        var (jobs, _) = await facts.Session.Connection.TrainingJobs().ListAsync(null, null, ResourceJson.Parse<TrainingJob>, ct);
        var saved = jobs.Where(job => job.Status?.Checkpoint?.Uri is not null && job.Spec.Phi is not null).OrderByDescending(job => job.Metadata.CreationTimestamp).Take(Most).ToList();
        if (saved.Count == 0)
        {
            return [CheckResult.Skip(Check, "no job has saved a checkpoint yet")];
        }

        var results = new List<CheckResult>();
        foreach (var job in saved)
        {
            results.Add(await OneAsync(job, isHere, ct));
        }

        // What is fine is told together, what is not by itself.
        var good = results.Count(one => one.State == CheckState.Ok);
        return [.. good > 0 ? [CheckResult.Ok(Check, $"of the {saved.Count} newest jobs with checkpoints, those of {good} can be read from here")] : Array.Empty<CheckResult>(), .. results.Where(one => one.State != CheckState.Ok)];
    }

    private static async Task<CheckResult> OneAsync(TrainingJob job, bool isHere, CancellationToken ct)
    {
        var (name, uri) = ($"{job.Metadata.Namespace}/{job.Metadata.Name}", job.Status!.Checkpoint!.Uri!);
        var folder = Uri.TryCreate(uri, UriKind.Absolute, out var address) && address.IsFile;
        if (folder && !isHere && !Directory.Exists(address!.LocalPath))
        {
            return CheckResult.Skip(Check, $"{name} saves in {address.LocalPath} of its nodes, which this machine does not see");
        }

        try
        {
            var steps = await Task.Run(() => Read(uri), ct).WaitAsync(Patience, ct);
            return steps > 0 ? CheckResult.Ok(Check, name) : CheckResult.Fail(Check, $"{name}: {uri} holds no committed checkpoint, though step {job.Status.Checkpoint.Step} was saved", $"find out who removed it; phi checkpoint ls job/{job.Metadata.Name} -n {job.Metadata.Namespace} shows what is there");
        }
        catch (CheckpointException e)
        {
            return CheckResult.Fail(Check, $"{name}: {e.Message}", $"bring the checkpoints back, or suspend the job before it restarts: phi suspend {job.Metadata.Name} -n {job.Metadata.Namespace}");
        }
        catch (Exception e) when (e is StorageException or TimeoutException)
        {
            return folder ? CheckResult.Fail(Check, $"{name}: {e.Message}", "give this user the right to read it") : CheckResult.Skip(Check, $"{name}: {uri} cannot be read with the credentials of this machine: {e.Message}");
        }
    }

    private static int Read(string uri)
    {
        using var store = new CheckpointStore(CheckpointLocation.Open(CheckpointLocation.Parse(uri).Root));
        return store.CommittedSteps().Count;
    }
}

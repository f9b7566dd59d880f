using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Live;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Dashboard.Actions;

/// <summary>What is wrong with a manifest, or what would become of it.</summary>
/// <param name="Manifest">Null: something is wrong.</param>
/// <param name="WhatIf">Null: it names no queue.</param>
internal sealed record CheckedManifest(IReadOnlyList<string> Problems, JobManifest? Manifest, WhatIfReport? WhatIf);

/// <summary>Asks this product's own rules and the API server about a manifest, and the queues about its job. Changes nothing.</summary>
internal sealed class ManifestCheck(KubernetesConnection connection, LiveState live, TimeProvider time)
{
    public async Task<CheckedManifest> CheckAsync(string yaml, CancellationToken ct)
    {
        JobManifest manifest;
        TrainingJobSpec spec;
        try
        {
            manifest = JobManifest.Parse(yaml);
            spec = manifest.Spec();
        }
        catch (FormatException e)
        {
            return Wrong(e.Message);
        }

        var errors = TrainingJobValidator.Validate(new TrainingJob { Metadata = new() { Name = manifest.Name, Namespace = manifest.Namespace }, Spec = spec });
        if (errors.Count > 0)
        {
            return new CheckedManifest([.. errors.Select(error => error.ToString())], null, null);
        }

        try
        {
            await connection.TrainingJobs().SubmitAsync(manifest.Namespace, manifest.Value, JobActions.Manager, isDryRun: true, ct);
            return new CheckedManifest([], manifest, await WhatIfAsync(manifest, ct));
        }
        catch (KubernetesApiException e)
        {
            return Wrong(e.Message);
        }
        catch (HttpRequestException e)
        {
            return Wrong($"the API server does not answer: {e.Message}");
        }
    }

    /// <summary>What would become of the job now; null: it names no queue.</summary>
    /// <exception cref="KubernetesApiException">The API server refuses to list priority classes.</exception>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public async Task<WhatIfReport?> WhatIfAsync(JobManifest manifest, CancellationToken ct)
    {
        var spec = manifest.Spec();
        if (string.IsNullOrEmpty(spec.Queue))
        {
            return null;
        }

        var (classes, _) = await connection.PriorityClasses().ListAsync(null, null, ResourceJson.Parse<k8s.Models.V1PriorityClass>, ct);
        var priorities = classes.ToDictionary(one => one.Metadata.Name, one => one.Value ?? 0, StringComparer.Ordinal);
        var state = QueueState.Of(live.Queues, priorities, live.Jobs, time.GetUtcNow());
        return state.Hypothetical(manifest.Namespace, manifest.Name, spec) is { } job ? WhatIfReport.Of(job, state.Snapshot) : null;
    }

    private static CheckedManifest Wrong(string problem) => new([problem], null, null);
}

using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;
using Phi.Planning.Hardware;
using Phi.Planning.Shapes;

namespace Phi.Planning.Reports;

/// <summary>Model FLOPs utilisation (arXiv 2204.02311, section 4.1) of a job that runs, with operations counted as <see cref="ModelOperations"/> does.</summary>
public static class Utilization
{
    /// <param name="job">As it was written: its defaults are filled in here.</param>
    /// <param name="replicas">Pods that train now.</param>
    /// <returns>From 0 to 1. Null for CPUs, accelerators of which no figures are known, programs of a container's own, and vocabularies that only the tokenizer knows.</returns>
    public static double? Of(TrainingJob job, int replicas, double tokensPerSecond)
    {
        if (job.Spec is not { Phi: not null, Accelerator.Type: { } type } || type == "cpu" || AcceleratorCatalog.Find(type) is not { } accelerator)
        {
            return null;
        }

        var spec = TrainingJobDefaults.Apply(job).Spec;
        return spec is { Phi.Model: { VocabularySize: not null } model, Accelerator.PerReplica: { } perReplica } && replicas > 0
            ? tokensPerSecond * ModelOperations.Training(ModelConfiguration.Of(model)) / (replicas * perReplica * accelerator.PeakFlops)
            : null;
    }
}

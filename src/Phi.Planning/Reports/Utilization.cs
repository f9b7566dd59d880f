using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;
using Phi.Planning.Hardware;
using Phi.Planning.Shapes;

namespace Phi.Planning.Reports;

/// <summary>Model FLOPs utilisation (arXiv 2204.02311, section 4.1) of a job that runs, with operations counted as <see cref="ModelOperations"/> does.</summary>
public static class Utilization
{
    /// <summary>What one of the job's pods would train at a utilisation of 1, in tokens per second.</summary>
    /// <param name="job">As it was written: its defaults are filled in here.</param>
    /// <returns>Null for CPUs, accelerators of which no figures are known, programs of a container's own, and vocabularies that only the tokenizer knows.</returns>
    public static double? PeakOfAPod(TrainingJob job)
    {
        if (job.Spec is not { Phi: not null, Accelerator.Type: { } type } || type == "cpu" || AcceleratorCatalog.Find(type) is not { } accelerator)
        {
            return null;
        }

        var spec = TrainingJobDefaults.Apply(job).Spec;
        return spec is { Phi.Model: { VocabularySize: not null } model, Accelerator.PerReplica: { } perReplica }
            ? perReplica * accelerator.PeakFlops / ModelOperations.Training(ModelConfiguration.Of(model))
            : null;
    }
}

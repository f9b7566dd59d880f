using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Planning.Hardware;

namespace Phi.Planning.Reports;

/// <summary>What a plan's figures rest on, in words.</summary>
internal static class PlanAssumptions
{
    public static IReadOnlyList<string> Of(TrainingJobSpec spec, Machine? machine)
    {
        if (spec.Phi is null)
        {
            return ["a container's program is not looked into: memory, traffic and time are its own; activeDeadlineSeconds bounds the hours, where it is given"];
        }

        if (spec.Phi.Model!.VocabularySize is null)
        {
            return ["the vocabulary's size is in the tokenizer's files or the prepared data; give spec.phi.model.vocabularySize for a plan"];
        }

        if (machine is null)
        {
            return [$"no figures are known of accelerator '{spec.Accelerator!.Type}': give --tflops and --memory for times and for what fits"];
        }

        var (accelerator, invariant) = (machine.Accelerator, CultureInfo.InvariantCulture);
        List<string> all =
        [
            string.Create(invariant, $"{accelerator.Name}: {accelerator.PeakFlops / 1e12:0.##} TFLOPS, of which the compute reaches {accelerator.Utilization:P0} ({accelerator.Source})"),
            string.Create(invariant, $"MFU counts 2 operations for each weight that is multiplied with and causal attention as it is computed, three passes; what is computed again is not counted"),
        ];
        if (spec.Replicas * spec.Accelerator!.PerReplica > 1)
        {
            all.Add(string.Create(invariant, $"within a node {accelerator.LinkBandwidth / 1e9:0.#} GB/s to and from each accelerator, of which payload gets {machine.LinkEfficiency:P0}; across nodes {machine.NetworkBandwidth * 8 / 1e9:0.#} Gbit/s of a node, {machine.NetworkEfficiency:P0}"));
        }

        all.Add(string.Create(invariant, $"a node writes {machine.StoreBandwidth / 1e9:0.##} GB/s to the checkpoints' store"));
        return all;
    }
}

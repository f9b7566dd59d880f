using System.Globalization;
using Phi.Api.TrainingJobs;

namespace Phi.Api.DeepSpeed;

/// <summary>Where DeepSpeed's ZeRO++ cannot do what the spec says, or does it otherwise (deepspeed/runtime/comm/coalesced_collectives.py, deepspeed/runtime/zero/partition_parameters.py).</summary>
internal static class DeepSpeedNotes
{
    /// <param name="given">As the user wrote it: a block size that is merely the default is not worth a note.</param>
    /// <param name="spec">With defaults.</param>
    public static IEnumerable<string> Of(TrainingJobSpec given, TrainingJobSpec spec)
    {
        var zero = spec.Zero!;
        return
        [
            .. Script(spec),
            .. Weights(given.Zero?.QuantizedWeights?.BlockSize, zero.QuantizedWeights),
            .. Partitioning(zero, spec.Accelerator!.PerReplica!.Value),
            .. Gradients(given.Zero?.QuantizedGradients?.BlockSize, zero, spec),
        ];
    }

    private static IEnumerable<string> Script(TrainingJobSpec spec)
    {
        yield return spec.Phi is null
            ? """spec.container: batch sizes, gradient clipping and precision are "auto", which Hugging Face's Trainer and Accelerate replace by the script's values; a script that calls deepspeed.initialize itself must write numbers there"""
            : "spec.phi: batch sizes, clipping and precision are the job's; model, data, optimizer and schedule are left to the script";
        var zero = spec.Zero!;
        if (spec.Accelerator!.Type == "cpu" && (zero.QuantizedWeights?.Enabled == true || zero.QuantizedGradients?.Enabled == true))
        {
            yield return "spec.accelerator.type cpu: DeepSpeed's quantisers are GPU kernels; ask for a GPU type";
        }
    }

    private static IEnumerable<string> Weights(int? blockSize, QuantizedWeightsSpec? weights)
    {
        if (weights is not { Enabled: true })
        {
            yield break;
        }

        if (blockSize is { } block)
        {
            yield return Left("spec.zero.quantizedWeights.blockSize", block, "DeepSpeed chooses groups of up to 16,000 values by the size of each parameter");
        }

        yield return "spec.zero.quantizedWeights: DeepSpeed quantises at every gather and from fp16; with bf16 it takes 0.19.6 or newer (before, weights came back corrupted), and torch_autocast is excluded";
    }

    private static IEnumerable<string> Partitioning(ZeroSpec zero, int ranksPerPod)
    {
        if (zero.HierarchicalPartitioning is not { Enabled: true })
        {
            yield break;
        }

        if (DeepSpeedRenderer.PartitionSize(zero, ranksPerPod) == 1)
        {
            yield return "spec.zero.hierarchicalPartitioning: DeepSpeed takes a group of 1 rank as hpZ turned off";
        }
        else if (zero is { QuantizedGradients.Enabled: true, HierarchicalPartitioning.GroupSize: { } group } && group != ranksPerPod)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"spec.zero.hierarchicalPartitioning.groupSize {group} sizes hpZ alone: the hops of DeepSpeed's qgZ go by the devices that a process sees");
        }
    }

    private static IEnumerable<string> Gradients(int? blockSize, ZeroSpec zero, TrainingJobSpec spec)
    {
        if (zero.QuantizedGradients is not { Enabled: true } gradients)
        {
            yield break;
        }

        foreach (var (hop, bits) in new[] { ("intraBits", gradients.IntraBits!.Value), ("interBits", gradients.InterBits!.Value) })
        {
            if (bits != 4)
            {
                yield return Left($"spec.zero.quantizedGradients.{hop}", bits, "DeepSpeed sends INT4 on both hops");
            }
        }

        if (blockSize is { } block)
        {
            yield return Left("spec.zero.quantizedGradients.blockSize", block, "DeepSpeed's groups follow the shape of each tensor");
        }

        if (spec.Replicas == 1)
        {
            yield return "spec.zero.quantizedGradients: on one node DeepSpeed reduces gradients unquantised";
        }

        yield return "spec.zero.quantizedGradients: DeepSpeed reduces a tensor unquantised if it is a vector, or its size is no multiple of twice the ranks";
        if (gradients.ErrorFeedback == true)
        {
            yield return "spec.zero.quantizedGradients.errorFeedback: DeepSpeed 0.16.2 or newer; its errors are on both hops, are cleared now and then (reset_T), and are not part of its checkpoints";
        }
    }

    private static string Left(string field, int value, string why) => string.Create(CultureInfo.InvariantCulture, $"{field} {value} has no counterpart: {why}");
}

using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;

namespace Phi.Api.DeepSpeed;

/// <summary>
/// From a job's <c>zero</c> block to DeepSpeed's configuration (field names, defaults and constraints: deepspeed/runtime/zero/config.py
/// and DeepSpeed's "Configuration JSON" page; ZeRO++ needs 0.10, error feedback 0.16.2). <c>README.md</c> beside this file has the mapping.
/// </summary>
public static class DeepSpeedRenderer
{
    /// <summary>What Hugging Face's Trainer and Accelerate replace by the script's own value.</summary>
    private const string Auto = "auto";

    /// <summary>A LoCo buffer is (beta × itself + (1 − beta) × what was rounded off): 0 keeps the whole of the last rounding, as qgZ here does.</summary>
    private const double ErrorBeta = 0;
    private const int ErrorReset = 1024;

    /// <param name="job">As the user wrote it; it has passed <see cref="TrainingJobValidator.Validate"/>.</param>
    public static DeepSpeedConfiguration Render(TrainingJob job)
    {
        var spec = TrainingJobDefaults.Apply(job).Spec;
        var json = spec.Phi is { } phi ? Known(phi, spec.Replicas!.Value * spec.Accelerator!.PerReplica!.Value) : Unknown();
        json["zero_optimization"] = Zero(spec.Zero!, spec.Accelerator!.PerReplica!.Value);
        return new DeepSpeedConfiguration(json, [.. DeepSpeedNotes.Of(job.Spec, spec)]);
    }

    /// <summary>Ranks of an hpZ group: the spec's, or those of a pod.</summary>
    internal static int PartitionSize(ZeroSpec zero, int ranksPerPod) => zero.HierarchicalPartitioning is { Enabled: true } partitioning ? partitioning.GroupSize ?? ranksPerPod : 1;

    /// <summary>A container's batch sizes, clipping and precision are its script's.</summary>
    private static JsonObject Unknown() => new()
    {
        ["train_batch_size"] = Auto,
        ["train_micro_batch_size_per_gpu"] = Auto,
        ["gradient_accumulation_steps"] = Auto,
        ["gradient_clipping"] = Auto,
        ["bf16"] = new JsonObject { ["enabled"] = Auto },
        ["fp16"] = new JsonObject { ["enabled"] = Auto },
    };

    private static JsonObject Known(PhiSpec phi, int ranks) => new()
    {
        ["train_batch_size"] = phi.Batch!.Global,
        ["train_micro_batch_size_per_gpu"] = phi.Batch.Micro,
        ["gradient_accumulation_steps"] = phi.Batch.Global / (phi.Batch.Micro * ranks),
        ["gradient_clipping"] = phi.Optimizer!.AdamW!.ClipNorm,
        ["bf16"] = new JsonObject { ["enabled"] = phi.Precision == "bf16" },
        ["fp16"] = new JsonObject { ["enabled"] = phi.Precision == "fp16" },
    };

    private static JsonObject Zero(ZeroSpec zero, int ranksPerPod)
    {
        var json = new JsonObject { ["stage"] = zero.Stage };
        if (zero.Stage >= 2)
        {
            json["contiguous_gradients"] = true;
            json["overlap_comm"] = true;
        }

        if (zero.Stage != 3)
        {
            return json;
        }

        json["zero_quantized_weights"] = zero.QuantizedWeights?.Enabled == true;
        json["zero_hpz_partition_size"] = PartitionSize(zero, ranksPerPod);
        json["zero_quantized_gradients"] = zero.QuantizedGradients?.Enabled == true;
        if (zero.QuantizedGradients is { Enabled: true, ErrorFeedback: true })
        {
            json["zeropp_loco_param"] = new JsonObject { ["err_beta"] = ErrorBeta, ["reset_T"] = ErrorReset };
        }

        return json;
    }
}

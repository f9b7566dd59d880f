using Phi.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Phi.Training.Model;

/// <summary>
/// Dropout whose masks are a function of (seed, step, global sample, layer, place) alone: each sample is dropped on its own, with torch's
/// generator seeded for it. So no world size, micro-batch or interruption changes a mask, and a layer that is run again in the backward
/// pass drops the same. Attention and residual dropout, as phi-1 has (arXiv 2306.11644, section 2.2).
/// </summary>
/// <param name="probability">Of a value to become zero; the others are divided by 1 - probability.</param>
/// <param name="step">Steps done before this one.</param>
/// <param name="firstSample">Global index of the micro-batch's first sample within the step.</param>
internal sealed class Dropout(double probability, long seed, long step, long firstSample)
{
    /// <summary>Seeding and drawing are one: ranks that are threads of a process share the generator.</summary>
    private static readonly Lock Generator = new();

    internal enum Place
    {
        Attention,
        AttentionOutput,
        MlpOutput,
    }

    /// <summary>x [B, T, D] with values dropped.</summary>
    public Tensor Residual(Tensor x, int layer, Place place)
    {
        var samples = new Tensor[x.shape[0]];
        for (var i = 0; i < samples.Length; i++)
        {
            lock (Generator)
            {
                Seed(x, i, layer, place);
                samples[i] = F.dropout(x.narrow(0, i, 1), probability, training: true);
            }
        }

        return cat(samples, 0);
    }

    /// <summary>Causal attention over q, k, v [B, H, T, K], with attention probabilities dropped.</summary>
    public Tensor Attention(Tensor q, Tensor k, Tensor v, int layer)
    {
        var samples = new Tensor[q.shape[0]];
        for (var i = 0; i < samples.Length; i++)
        {
            lock (Generator)
            {
                Seed(q, i, layer, Place.Attention);
                samples[i] = F.scaled_dot_product_attention(q.narrow(0, i, 1), k.narrow(0, i, 1), v.narrow(0, i, 1), p: probability, is_casual: true);
            }
        }

        return cat(samples, 0);
    }

    private void Seed(Tensor dropped, int sample, int layer, Place place)
    {
        var stream = CounterRandom.Bits((ulong)seed, (ulong)step, (ulong)(firstSample + sample));
        var bits = (long)CounterRandom.Bits(stream, (ulong)layer, (ulong)place);
        // TorchSharp seeds the CPU's generator alone.
        using var generator = manual_seed(bits);
        if (dropped.device_type == DeviceType.CUDA)
        {
            cuda.manual_seed_all(bits);
        }
    }
}

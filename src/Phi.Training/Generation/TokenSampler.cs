using System.Numerics.Tensors;

namespace Phi.Training.Generation;

/// <summary>Chooses a token from logits.</summary>
public static class TokenSampler
{
    /// <param name="logits">Not changed.</param>
    /// <param name="at">Where in the distribution, in [0, 1).</param>
    /// <returns>An index of the logits. Equal logits are in the order of their indices.</returns>
    public static int Choose(ReadOnlySpan<float> logits, SamplingOptions options, double at)
    {
        if (options.Temperature == 0)
        {
            return TensorPrimitives.IndexOfMax(logits);
        }

        var order = Likeliest(logits, options.TopK > 0 ? Math.Min(options.TopK, logits.Length) : logits.Length);
        var count = order.Length;
        var weights = new double[count];
        for (var i = 0; i < count; i++)
        {
            weights[i] = Math.Exp(((double)logits[order[i]] - logits[order[0]]) / options.Temperature);
        }

        count = Nucleus(weights, options.TopP);
        var left = at * TensorPrimitives.Sum<double>(weights.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            left -= weights[i];
            if (left < 0)
            {
                return order[i];
            }
        }

        return order[count - 1];
    }

    /// <summary>So many of the logits' indices, the likeliest first.</summary>
    private static int[] Likeliest(ReadOnlySpan<float> logits, int count)
    {
        // Keys whose order is that of falling logits, and of rising indices among equal ones.
        var keys = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            keys[i] = Key(logits[i], i);
        }

        if (count < logits.Length)
        {
            KeepLeast(keys, logits);
        }

        Array.Sort(keys);
        return Array.ConvertAll(keys, key => (int)(uint)key);
    }

    /// <summary>The least keys of all logits, where the keys are those of the first ones.</summary>
    private static void KeepLeast(ulong[] keys, ReadOnlySpan<float> logits)
    {
        var kept = new PriorityQueue<ulong, ulong>(keys.Length, Comparer<ulong>.Create((a, b) => b.CompareTo(a)));
        kept.EnqueueRange(keys.Select(key => (key, key)));
        var greatest = kept.Peek();
        for (var i = keys.Length; i < logits.Length; i++)
        {
            if (Key(logits[i], i) is var key && key < greatest)
            {
                kept.EnqueueDequeue(key, key);
                greatest = kept.Peek();
            }
        }

        kept.UnorderedItems.Select(item => item.Element).ToArray().CopyTo(keys, 0);
    }

    private static ulong Key(float logit, int index)
    {
        // The sum makes one zero of both.
        var bits = BitConverter.SingleToInt32Bits(logit + 0f);
        return ((ulong)(uint)(bits < 0 ? bits : ~bits ^ int.MinValue) << 32) | (uint)index;
    }

    /// <summary>How many of the weights, likeliest first, sum to the share; at least one.</summary>
    private static int Nucleus(double[] weights, double topP)
    {
        var wanted = topP * weights.Sum();
        var sum = 0.0;
        for (var i = 0; topP < 1 && i < weights.Length; i++)
        {
            sum += weights[i];
            if (sum >= wanted)
            {
                return i + 1;
            }
        }

        return weights.Length;
    }
}

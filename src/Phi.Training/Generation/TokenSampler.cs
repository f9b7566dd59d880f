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

        var order = Likeliest(logits);
        var count = options.TopK > 0 ? Math.Min(options.TopK, order.Length) : order.Length;
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

    private static int[] Likeliest(ReadOnlySpan<float> logits)
    {
        var order = new int[logits.Length];
        var keys = new (float Negated, int Index)[logits.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            (order[i], keys[i]) = (i, (-logits[i], i));
        }

        Array.Sort(keys, order);
        return order;
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

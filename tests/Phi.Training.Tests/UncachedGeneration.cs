using Phi.Training.Generation;
using Phi.Training.Kernels;
using Phi.Training.Model;
using static TorchSharp.torch;

namespace Phi.Training.Tests;

/// <summary>Generation without a cache: the training forward pass over the whole window for each token.</summary>
internal static class UncachedGeneration
{
    public static List<int> Tokens(RandomWeights weights, IReadOnlyList<int> prompt, ulong stream, SamplingOptions options, int count)
    {
        using var scope = NewDisposeScope();
        using var forward = new PhiForward(weights.Model);
        var units = Units(weights);
        var text = prompt.ToList();
        for (var step = 0; step < count; step++)
        {
            var window = text.Skip(ContextWindow.Start(text.Count, weights.Model.SequenceLength)).ToList();
            text.Add(TokenSampler.Choose(Logits(forward, units, window)[^1], options, CounterRandom.Below(stream, (ulong)step, 0, 1 << 24) / (double)(1 << 24)));
        }

        return text[prompt.Count..];
    }

    /// <summary>After each token, [T][V].</summary>
    public static float[][] Logits(RandomWeights weights, IReadOnlyList<int> tokens)
    {
        using var scope = NewDisposeScope();
        using var forward = new PhiForward(weights.Model);
        return Logits(forward, Units(weights), tokens);
    }

    private static List<List<Tensor>> Units(RandomWeights weights) =>
        UnitLayout.Of(weights.Model).Select(unit => unit.Tensors.Select(layout => tensor(weights[layout.Name], layout.Shape)).ToList()).ToList();

    private static float[][] Logits(PhiForward forward, List<List<Tensor>> units, IReadOnlyList<int> tokens)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var x = forward.Embed(tensor(tokens.Select(token => (long)token).ToArray(), [1, tokens.Count]), units[0]);
        foreach (var layer in units.Skip(1).SkipLast(1))
        {
            x = forward.Layer(x, layer);
        }

        var logits = forward.Head(x, units[^1]);
        return [.. logits.data<float>().ToArray().Chunk((int)logits.shape[1])];
    }
}

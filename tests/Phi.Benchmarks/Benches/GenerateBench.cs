using System.Diagnostics;
using Phi.Benchmarks.Gpu;
using Phi.Benchmarks.Reports;
using Phi.Training.Generation;
using Phi.Training.Kernels;
using Phi.Training.Model;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Benchmarks.Benches;

/// <summary>Text from a model of phi-tiny's size, the likeliest token each time: with cached keys and values against the training forward pass over the whole text for each token; and by batch size.</summary>
internal sealed class GenerateBench : IBench
{
    private const int Length = 512;
    private const int PromptLength = 16;
    private const int Generated = 128;
    private const int Rounds = 3;
    private static readonly int[] BatchSizes = [1, 8, 32];

    public string Name => "generate";

    public string Description => $"text of {Length} tokens with cached keys and values against without; tokens/s by batch size";

    public Task<IReadOnlyList<Metric>> RunAsync()
    {
        using var weights = new SeededWeights(ModelConfiguration.PhiTiny with { SequenceLength = Length }, seed: 7);
        // The first of each are not measured.
        List<int> cached = Cached(weights, 1, 1, Length - 1).Tokens[0], uncached = Uncached(weights, Length / 8).Tokens;
        var seconds = new List<(double Cached, double Uncached)>();
        var rates = BatchSizes.ToDictionary(size => size, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {Rounds} …");
            double without;
            (uncached, without) = Uncached(weights, Length - 1);
            seconds.Add((Cached(weights, 1, 1, Length - 1).Seconds, without));
            foreach (var size in BatchSizes)
            {
                rates[size].Add(size * Generated / Cached(weights, size, PromptLength, Generated).Seconds);
            }
        }

        return Task.FromResult<IReadOnlyList<Metric>>(
        [
            new Metric($"without a cache, {Length} tokens", Length / Median(seconds.Select(round => round.Uncached)), "tokens/s"),
            new Metric($"with the cache, {Length} tokens", Length / Median(seconds.Select(round => round.Cached)), "tokens/s"),
            Metric.AtLeast($"with the cache / without, {Length} tokens", Median(seconds.Select(round => round.Uncached / round.Cached)), "times its tokens/s", 5),
            Metric.AtLeast("the same tokens with and without", cached.Zip(uncached).Count(pair => pair.First == pair.Second) / (Length - 1.0), "of them", 1),
            .. BatchSizes.Select(size => new Metric($"batch size {size}", Median(rates[size]), "tokens/s")),
            .. BatchSizes.Skip(1).Select(size => new Metric($"batch size {size} / batch size {BatchSizes[0]}", Median(rates[size].Zip(rates[BatchSizes[0]], (a, b) => a / b)), "times its tokens/s")),
        ]);
    }

    /// <summary>Texts that are generated together, a prompt of so many tokens each.</summary>
    private static (List<List<int>> Tokens, double Seconds) Cached(SeededWeights weights, int texts, int prompt, int count)
    {
        using var forward = GenerationDevice.Cpu.Load(weights, texts);
        var batch = new TokenBatch(forward, weights.Model.VocabularySize, new SamplingOptions { Temperature = 0 });
        var tokens = Enumerable.Range(0, texts).ToDictionary(text => batch.Start(Prompt(weights, text, prompt), 0), _ => new List<int>());
        var started = Stopwatch.GetTimestamp();
        while (!batch.IsEmpty)
        {
            foreach (var (sequence, token) in batch.Step())
            {
                tokens[sequence].Add(token);
                if (sequence.Generated == count)
                {
                    batch.End(sequence);
                }
            }
        }

        return ([.. tokens.Values], Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static (List<int> Tokens, double Seconds) Uncached(SeededWeights weights, int count)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var forward = new PhiForward(weights.Model);
        Tensor[][] units = [.. UnitLayout.Of(weights.Model).Select(unit => unit.Tensors.Select(Load).ToArray())];
        var text = Prompt(weights, 0, 1).Select(token => (long)token).ToList();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            using var step = NewDisposeScope();
            var x = forward.Embed(tensor(text.ToArray(), [1, text.Count]), units[0]);
            for (var layer = 0; layer < weights.Model.Layers; layer++)
            {
                x = forward.Layer(x, units[layer + 1]);
            }

            text.Add(forward.Head(x.narrow(1, text.Count - 1, 1), units[^1]).argmax().item<long>());
        }

        return ([.. text.Skip(1).Select(token => (int)token)], Stopwatch.GetElapsedTime(started).TotalSeconds);

        Tensor Load(TensorLayout layout)
        {
            var values = new float[layout.Length];
            weights.Read(layout.Name, 0, values);
            return tensor(values, layout.Shape);
        }
    }

    private static int[] Prompt(SeededWeights weights, int text, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (int)CounterRandom.Below(7, (ulong)text, (ulong)i, weights.Model.VocabularySize))];

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}

using CsCheck;
using Phi.Training.Generation;
using Phi.Training.Generation.Cpu;
using Phi.Training.Kernels;

namespace Phi.Training.Tests;

/// <summary>What is generated for a prompt is the same whatever else is in the batch, and the same as with the training forward pass over the whole text for each token.</summary>
[Collection("torch")]
public sealed class TokenBatchTests
{
    private static readonly Gen<ModelConfiguration> Models = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 4], Gen.Int[3, 20], Gen.Int[5, 70], Gen.Int[20, 60]).Select((layers, heads, headSize, mlp, length) => new ModelConfiguration
    {
        Layers = layers, Heads = heads, HiddenSize = heads * headSize, RotaryDim = Math.Max(2, headSize / 4 * 2), MlpSize = mlp, VocabularySize = 45, SequenceLength = length,
    });

    private static readonly Gen<SamplingOptions> Options = Gen.Select(OneOf(0, 0.3, 1.1), OneOf(0, 1, 7), OneOf(1, 0.8)).Select((temperature, topK, topP) => new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP });

    [Fact]
    public void Step_AnyBatch_GivesTheTokensOfTheTrainingForwardPass() =>
        Gen.Select(Models, Options, Gen.Int[1, 9], Gen.Int[1, 6], Gen.Int[1, 1000]).Sample(
            (model, options, slots, prompts, seed) =>
            {
                using var weights = new RandomWeights(model, seed);
                var texts = Texts(model, prompts, samples: 3, seed);

                var batched = Generate(weights, texts, options, slots);

                foreach (var (text, tokens) in texts.Zip(batched))
                {
                    Assert.Equal(UncachedGeneration.Tokens(weights, text.Prompt, text.Stream, options, tokens.Count), tokens);
                    Assert.True(tokens.Count == text.Length || text.Prompt.Length + tokens.Count == model.SequenceLength);
                }
            },
            iter: 12,
            threads: 1);

    [Fact]
    public void Step_AnyBatchSizeAndOrder_GivesTheSameTokens() =>
        Gen.Select(Models, Options, Gen.Int[2, 40], Gen.Int[1, 1000]).Sample(
            (model, options, slots, seed) =>
            {
                using var weights = new RandomWeights(model, seed);
                var texts = Texts(model, prompts: 7, samples: 3, seed);
                var alone = texts.ConvertAll(text => Generate(weights, [text], options, slots: 1)[0]);
                var order = Enumerable.Range(0, texts.Count).OrderBy(i => CounterRandom.Bits((ulong)seed, 5, (ulong)i)).ToList();

                var shuffled = Generate(weights, order.ConvertAll(i => texts[i]), options, slots);

                Assert.Equal(order.ConvertAll(i => alone[i]), shuffled);
            },
            iter: 25,
            threads: 1);

    [Fact]
    public void Step_SeveralSamplesOfAPrompt_DifferByTheirStreamsAlone()
    {
        using var weights = new RandomWeights(new() { Layers = 2, Heads = 2, HiddenSize = 32, RotaryDim = 8, MlpSize = 64, VocabularySize = 45, SequenceLength = 200 }, seed: 3);
        int[] prompt = [.. Enumerable.Range(0, 150).Select(i => i * 7 % 45)];
        List<Text> texts = [.. Enumerable.Range(0, 6).Select(i => new Text(prompt, (ulong)(i % 3), 30))];

        var tokens = Generate(weights, texts, new SamplingOptions { Temperature = 1.5, TopK = 0 }, slots: 6);

        Assert.Equal(tokens[..3], tokens[3..]);
        Assert.Equal(3, tokens.DistinctBy(sample => string.Join(' ', sample)).Count());
    }

    [Fact]
    public void End_OfTheTextThatOthersWaitFor_LetsThemGoOn()
    {
        using var weights = new RandomWeights(new() { Layers = 1, Heads = 2, HiddenSize = 32, RotaryDim = 8, MlpSize = 64, VocabularySize = 45, SequenceLength = 300 }, seed: 3);
        int[] prompt = [.. Enumerable.Range(0, 250).Select(i => i * 7 % 45)];
        var options = new SamplingOptions { Temperature = 0 };
        var expected = Generate(weights, [new Text(prompt, 0, 5)], options, slots: 1)[0];
        using var forward = new CpuForward(weights, 3);
        var batch = new TokenBatch(forward, 45, options);
        TokenSequence first = batch.Start(prompt, 1), second = batch.Start(prompt, 2), third = batch.Start(prompt, 3);
        Assert.Empty(batch.Step());

        batch.End(first);

        var tokens = new List<(TokenSequence Sequence, int Token)>();
        while (tokens.Count(token => token.Sequence == third) < 5)
        {
            tokens.AddRange(batch.Step());
        }

        Assert.Equal(expected, tokens.Where(token => token.Sequence == second).Select(token => token.Token).Take(5));
        Assert.Equal(expected, tokens.Where(token => token.Sequence == third).Select(token => token.Token).Take(5));
    }

    [Fact]
    public void Start_WhatCannotBe_SaysWhy()
    {
        using var weights = new RandomWeights(new() { Layers = 1, Heads = 1, HiddenSize = 8, RotaryDim = 4, MlpSize = 8, VocabularySize = 45, SequenceLength = 4 }, seed: 3);
        using var forward = new CpuForward(weights, 1);
        var batch = new TokenBatch(forward, 45, new SamplingOptions());

        Assert.Contains("a prompt of 4 tokens leaves no room for another in a sequence of 4", Assert.Throws<ArgumentException>(() => batch.Start([1, 2, 3, 4], 0)).Message, StringComparison.Ordinal);
        var sequence = batch.Start([1, 2, 3], 0);
        Assert.Contains("every slot is taken", Assert.Throws<InvalidOperationException>(() => batch.Start([1], 0)).Message, StringComparison.Ordinal);
        Assert.Single(batch.Step());
        Assert.True(sequence.IsFull);
        Assert.Contains("end it", Assert.Throws<InvalidOperationException>(() => batch.Step()).Message, StringComparison.Ordinal);
    }

    private static List<Text> Texts(ModelConfiguration model, int prompts, int samples, int seed)
    {
        var texts = new List<Text>();
        for (var p = 0; p < prompts; p++)
        {
            int[] prompt = [.. Enumerable.Range(0, (int)Draw(p, 0, model.SequenceLength - 1) + 1).Select(i => (int)Draw(p, i + 1, model.VocabularySize))];
            texts.AddRange(Enumerable.Range(0, samples).Select(sample => new Text(prompt, CounterRandom.Bits((ulong)seed, (ulong)p, (ulong)sample), (int)Draw(p, 1000 + sample, 25) + 1)));
        }

        return texts;

        long Draw(int p, int i, long count) => CounterRandom.Below((ulong)seed, (ulong)p, (ulong)i, count);
    }

    /// <summary>Each text's tokens; a slot that is left is given to the next text.</summary>
    private static List<List<int>> Generate(RandomWeights weights, List<Text> texts, SamplingOptions options, int slots)
    {
        using var forward = new CpuForward(weights, slots);
        var batch = new TokenBatch(forward, weights.Model.VocabularySize, options);
        var tokens = texts.ConvertAll(_ => new List<int>());
        var open = new Dictionary<TokenSequence, int>();
        for (var next = 0; next < texts.Count || !batch.IsEmpty;)
        {
            while (next < texts.Count && batch.HasRoom)
            {
                open.Add(batch.Start(texts[next].Prompt, texts[next].Stream), next++);
            }

            foreach (var (sequence, token) in batch.Step())
            {
                tokens[open[sequence]].Add(token);
                if (sequence.IsFull || sequence.Generated == texts[open[sequence]].Length)
                {
                    batch.End(sequence);
                }
            }
        }

        return tokens;
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private sealed record Text(int[] Prompt, ulong Stream, int Length);
}

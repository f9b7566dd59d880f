using System.Runtime.InteropServices;
using Phi.Training.Generation;
using Phi.Training.Generation.Cpu;
using static TorchSharp.torch;

namespace Phi.Training.Tests;

/// <summary>The cached forward passes against the training forward pass, and against themselves in other batches.</summary>
[Collection("torch")]
public sealed class CachedForwardTests
{
    public static TheoryData<int, int, int, int, int> Shapes => new()
    {
        // Layers, heads, head size, rotary dimension, tokens.
        { 2, 3, 6, 4, 13 },
        { 1, 1, 5, 2, 7 },
        { 2, 2, 16, 16, 70 },
        { 1, 3, 40, 12, 130 },
        { 2, 5, 8, 6, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Run_OddShapes_GivesTheTrainingPassesLogits(int layers, int heads, int headSize, int rotary, int tokens)
    {
        using var weights = new RandomWeights(Model(layers, heads, headSize, rotary, tokens), seed: 11);
        var text = Tokens(tokens, 1);
        using var cpu = new CpuForward(weights, 2);
        using var torch = new TorchForward(weights, 2, CPU);

        var expected = UncachedGeneration.Logits(weights, text);

        var largest = expected.Max(row => row.Max(Math.Abs));
        foreach (var logits in new[] { InOnePass(cpu, text), OneByOne(cpu, text), InOnePass(torch, text), OneByOne(torch, text) })
        {
            // The last token's alone, where all went through at once.
            Assert.All(expected.TakeLast(logits.Length).SelectMany(row => row).Zip(logits.SelectMany(row => row)), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * largest));
        }
    }

    [Fact]
    public void Run_RaggedRowsOfSeveralSlots_AgreesWithTheTrainingPass()
    {
        using var weights = new RandomWeights(Model(2, 3, 6, 4, 60), seed: 11);
        int[][] texts = [Tokens(40, 1), Tokens(3, 2), Tokens(59, 3)];
        foreach (var forward in new ICachedForward[] { new CpuForward(weights, 4), new TorchForward(weights, 4, CPU) })
        {
            using (forward)
            {
                // The first text but its end, then that, the second's beginning and the third's single tokens in one pass.
                var logits = new float[4 * 31];
                forward.Run([.. Rows(0, texts[0], 0, 39, false), .. Rows(2, texts[2], 0, 20, false)], logits);
                forward.Run([.. Rows(2, texts[2], 20, 58, false)], logits);
                forward.Copy(2, 3, 58);
                forward.Run([.. Rows(0, texts[0], 39, 40, true), .. Rows(1, texts[1], 0, 3, true), .. Rows(2, texts[2], 58, 59, true), .. Rows(3, texts[2], 58, 59, true)], logits);

                var expected = texts.Append(texts[2]).SelectMany(text => UncachedGeneration.Logits(weights, text)[^1]).ToArray();
                Assert.All(expected.Zip(logits), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * expected.Max(Math.Abs)));
            }
        }
    }

    [Fact]
    public void Run_OnTheCpuInAnyCompany_GivesTheSameBits()
    {
        var model = Model(2, 3, 20, 8, 100);
        using var weights = new RandomWeights(model, seed: 11);
        var text = Tokens(60, 1);
        using var alone = new CpuForward(weights, 1);
        var expected = OneByOne(alone, text)[^1];

        for (var others = 1; others < 9; others++)
        {
            using var forward = new CpuForward(weights, 9);
            var logits = new float[9 * model.VocabularySize];
            forward.Run([.. Rows(others, text, 0, 59, false)], logits);
            List<TokenRow> rows = [.. Enumerable.Range(0, others).Select(slot => new TokenRow(slot, 0, slot, true))];
            forward.Run([.. rows, .. Rows(others, text, 59, 60, true)], logits);

            Assert.Equal(Bits(expected), Bits(logits.AsSpan(others * model.VocabularySize, model.VocabularySize)));
        }
    }

    private static int[] Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();

    private static float[][] InOnePass(ICachedForward forward, int[] text)
    {
        var logits = new float[forward.Model.VocabularySize];
        foreach (var rows in Rows(0, text, 0, text.Length, true).Chunk(forward.Rows))
        {
            forward.Run(rows, logits);
        }

        return [logits];
    }

    private static float[][] OneByOne(ICachedForward forward, int[] text) => [.. Rows(0, text, 0, text.Length, true).Select(row =>
    {
        var logits = new float[forward.Model.VocabularySize];
        forward.Run([row with { HasLogits = true }], logits);
        return logits;
    })];

    private static IEnumerable<TokenRow> Rows(int slot, int[] text, int first, int end, bool hasLogits) =>
        Enumerable.Range(first, end - first).Select(i => new TokenRow(slot, i, text[i], hasLogits && i == end - 1));

    private static ModelConfiguration Model(int layers, int heads, int headSize, int rotary, int length) => new()
    {
        Layers = layers, Heads = heads, HiddenSize = heads * headSize, RotaryDim = rotary, MlpSize = 23, VocabularySize = 31, SequenceLength = length,
    };

    private static int[] Tokens(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(31))];
    }
}

using CsCheck;
using Phi.Training.Generation;

namespace Phi.Training.Tests;

/// <summary>Generation with cached keys and values against the whole window recomputed for every token, and the choice of a token.</summary>
[Collection("torch")]
public sealed class TextGeneratorTests
{
    private static readonly ModelConfiguration Model = new() { Layers = 2, Heads = 3, HiddenSize = 18, RotaryDim = 4, MlpSize = 30, VocabularySize = 40, SequenceLength = 14 };

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 13)]
    [InlineData(0, 14)]
    [InlineData(0, 50)]
    [InlineData(0.9, 3)]
    [InlineData(0.9, 15)]
    public void Continue_PastTheSequenceLength_EqualsTheUncachedPath(double temperature, int promptLength)
    {
        using var weights = new RandomWeights(Model, seed: 3);
        var options = new SamplingOptions { Temperature = temperature, Seed = 4 };
        int[] prompt = [.. Enumerable.Range(0, promptLength).Select(i => i * 7 % 40)];
        using var generator = new TextGenerator(weights);

        var cached = generator.Continue(prompt, 40, options).Take(45).ToList();

        Assert.Equal(UncachedGeneration.Tokens(weights, prompt, 4, options, 45), cached);
        Assert.True(cached.Distinct().Count() > 3, string.Join(' ', cached));
        Assert.Equal(cached, generator.Continue(prompt, 40, options).Take(45));
    }

    [Fact]
    public void Continue_VocabularyBelowTheModels_ChoosesNothingAbove()
    {
        using var weights = new RandomWeights(Model, seed: 3);
        using var generator = new TextGenerator(weights);

        Assert.All(generator.Continue([1], 5, new SamplingOptions { Temperature = 50, TopK = 0 }).Take(60), token => Assert.InRange(token, 0, 4));
    }

    [Fact]
    public void Start_AnyLength_KeepsTheNewestTokensWithinTheWindow() =>
        Gen.Select(Gen.Int[1, 500], Gen.Int[1, 64]).Sample((tokens, length) =>
        {
            var start = ContextWindow.Start(tokens, length);

            Assert.InRange(tokens - start, 1, length);
            Assert.True(tokens - start > length - Math.Max(1, length / 2) || start == 0);
            Assert.True(ContextWindow.Start(tokens + 1, length) >= start);
        });

    [Fact]
    public void Choose_TemperatureZero_IsTheLikeliest() =>
        Assert.Equal(2, TokenSampler.Choose([1f, -3f, 4f, 4f], new SamplingOptions { Temperature = 0 }, 0.99));

    [Theory]
    [InlineData(2, 1.0, new[] { 1, 3 })]
    [InlineData(0, 0.6, new[] { 1, 3 })]
    [InlineData(0, 0.5, new[] { 1 })]
    [InlineData(0, 1.0, new[] { 0, 1, 2, 3 })]
    [InlineData(1, 1.0, new[] { 1 })]
    public void Choose_TopKAndTopP_KeepTheLikeliestAlone(int topK, double topP, int[] expected)
    {
        // Probabilities 0.1, 0.5, 0.1, 0.3.
        float[] logits = [MathF.Log(0.1f), MathF.Log(0.5f), MathF.Log(0.1f), MathF.Log(0.3f)];
        var options = new SamplingOptions { Temperature = 1, TopK = topK, TopP = topP - 1e-6 * (topP < 1 ? 1 : 0) };

        var chosen = Enumerable.Range(0, 1000).Select(i => TokenSampler.Choose(logits, options, i / 1000.0)).Distinct().Order();

        Assert.Equal(expected, chosen);
    }

    [Fact]
    public void Choose_AnyLogits_IsTheSameWithTheCutOffAsOfTheWholeOrder() =>
        Gen.Select(Gen.Int[-3, 3].Select(i => i / 2f).Array[1, 60], Gen.Int[1, 60], Gen.Double[0, 0.999]).Sample((logits, topK, at) =>
        {
            var order = Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).Take(topK).ToList();
            var kept = Enumerable.Range(0, logits.Length).Select(i => order.Contains(i) ? logits[i] : -1000f).ToArray();

            Assert.Equal(TokenSampler.Choose(kept, new SamplingOptions { Temperature = 1, TopK = 0 }, at), TokenSampler.Choose(logits, new SamplingOptions { Temperature = 1, TopK = topK }, at));
        });

    [Fact]
    public void Choose_TemperatureOne_FollowsTheProbabilities()
    {
        float[] logits = [MathF.Log(0.2f), MathF.Log(0.8f)];

        var second = Enumerable.Range(0, 1000).Count(i => TokenSampler.Choose(logits, new SamplingOptions { Temperature = 1 }, i / 1000.0) == 1);

        Assert.InRange(second, 799, 801);
    }

    [Fact]
    public void Validate_ManyBadValues_NamesEachOne()
    {
        var error = Assert.Throws<ArgumentException>(() => new SamplingOptions { Temperature = -1, TopK = -2, TopP = 0 }.Validate());

        Assert.All(["--temperature -1", "--top-k -2", "--top-p 0"], expected => Assert.Contains(expected, error.Message, StringComparison.Ordinal));
    }
}

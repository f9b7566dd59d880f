using Phi.Training.Model;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Training.Tests;

/// <summary>The engine's forward and backward pass against plain double precision arithmetic.</summary>
[Collection("torch")]
public sealed class PhiForwardTests
{
    public static TheoryData<int, int, int, int, int> Shapes => new()
    {
        // Layers, heads, head size, rotary dimension, tokens.
        { 2, 3, 6, 4, 13 },
        { 1, 1, 5, 2, 7 },
        { 3, 3, 4, 4, 11 },
        { 2, 5, 8, 6, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_OddShapes_EqualPlainArithmetic(int layers, int heads, int headSize, int rotary, int tokens)
    {
        using var weights = new RandomWeights(Model(layers, heads, headSize, rotary), seed: 11);
        int[] first = Tokens(tokens, 1), second = Tokens(tokens, 2);
        var plain = new PlainPhi(weights.Model, Doubles(weights));
        double[][] expected = [.. plain.Logits(first), .. plain.Logits(second)];

        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var logits = Forward(weights, Parameters(weights), [first, second]).data<float>().ToArray();

        var largest = expected.Max(row => row.Max(Math.Abs));
        Assert.All(expected.SelectMany(row => row).Zip(logits), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * largest));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_OfEveryTensor_EqualFiniteDifferences(int layers, int heads, int headSize, int rotary, int tokens)
    {
        const double Step = 1e-4;
        using var weights = new RandomWeights(Model(layers, heads, headSize, rotary), seed: 5);
        int[] inputs = Tokens(tokens, 3), targets = Tokens(tokens, 4);
        var doubles = Doubles(weights);
        var plain = new PlainPhi(weights.Model, doubles);

        using var scope = NewDisposeScope();
        var parameters = Parameters(weights);
        var loss = F.cross_entropy(Forward(weights, parameters, [inputs]), tensor(Array.ConvertAll(targets, target => (long)target)));
        loss.backward();

        Assert.Equal(plain.Loss(inputs, targets), loss.item<float>(), 1e-5);
        var random = new Random(9);
        foreach (var (name, leaf) in UnitLayout.Of(weights.Model).SelectMany(unit => unit.Tensors).Select(tensor => tensor.Name).Zip(parameters.SelectMany(unit => unit)))
        {
            var gradient = leaf.grad!.data<float>().ToArray();
            // The embedding's rows of other tokens have none; one that has is worth more.
            var i = Array.IndexOf(gradient, gradient.MaxBy(Math.Abs));
            foreach (var element in new[] { i, random.Next(gradient.Length) })
            {
                var expected = (At(name, element, Step) - At(name, element, -Step)) / (2 * Step);
                Assert.True(Math.Abs(expected - gradient[element]) <= 1e-5 + 1e-4 * Math.Abs(expected), $"{name}[{element}]: {gradient[element]} and {expected}");
            }
        }

        double At(string name, int element, double step)
        {
            var kept = doubles[name][element];
            doubles[name][element] = kept + step;
            var value = plain.Loss(inputs, targets);
            doubles[name][element] = kept;
            return value;
        }
    }

    private static ModelConfiguration Model(int layers, int heads, int headSize, int rotary) => new()
    {
        Layers = layers, Heads = heads, HiddenSize = heads * headSize, RotaryDim = rotary, MlpSize = 23, VocabularySize = 31, SequenceLength = 17,
    };

    private static int[] Tokens(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(31))];
    }

    private static Dictionary<string, double[]> Doubles(RandomWeights weights) =>
        UnitLayout.Of(weights.Model).SelectMany(unit => unit.Tensors).ToDictionary(tensor => tensor.Name, tensor => Array.ConvertAll(weights[tensor.Name], value => (double)value));

    private static List<List<Tensor>> Parameters(RandomWeights weights) =>
        UnitLayout.Of(weights.Model).Select(unit => unit.Tensors.Select(layout => tensor(weights[layout.Name], layout.Shape).requires_grad_()).ToList()).ToList();

    private static Tensor Forward(RandomWeights weights, List<List<Tensor>> parameters, int[][] sequences)
    {
        using var forward = new PhiForward(weights.Model);
        var x = forward.Embed(tensor(sequences.SelectMany(s => s).Select(token => (long)token).ToArray(), [sequences.Length, sequences[0].Length]), parameters[0]);
        for (var layer = 0; layer < weights.Model.Layers; layer++)
        {
            x = forward.Layer(x, parameters[layer + 1]);
        }

        return forward.Head(x, parameters[^1]);
    }
}

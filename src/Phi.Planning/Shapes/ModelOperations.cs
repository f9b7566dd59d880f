using Phi.Checkpoints.Layout;

namespace Phi.Planning.Shapes;

/// <summary>
/// Floating-point operations for a token. Two for each weight that is multiplied with, and causal attention as it is computed: half of the
/// square. Twice as many in the backward pass. What a layer computes again for its activations is no part of the model's, and so of no MFU.
/// </summary>
public static class ModelOperations
{
    /// <summary>Of a layer's forward pass.</summary>
    public static double Layer(ModelConfiguration model)
    {
        double h = model.HiddenSize, m = model.MlpSize, t = model.SequenceLength;
        return 2 * (4 * h * h + 2 * h * m) + 2 * t * h;
    }

    /// <summary>Of the head's forward pass.</summary>
    public static double Head(ModelConfiguration model) => 2.0 * model.VocabularySize * model.HiddenSize;

    /// <summary>Of a token's forward and backward pass through the whole model.</summary>
    public static double Training(ModelConfiguration model) => 3 * (model.Layers * Layer(model) + Head(model));
}

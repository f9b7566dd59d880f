using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.Weights;

/// <summary>A model's saved parameters, read part by part. One thread at a time.</summary>
public interface IModelWeights : IDisposable
{
    ModelConfiguration Model { get; }

    /// <summary>What holds them, as messages name it.</summary>
    string Location { get; }

    /// <summary>A file beside the weights, such as one of the tokenizer's; null if there is none of that name.</summary>
    byte[]? TryReadFile(string name);

    /// <summary>Reads consecutive values of a tensor of <see cref="UnitLayout"/>, in row-major order.</summary>
    /// <param name="first">The first of them, in elements.</param>
    /// <exception cref="CheckpointException">The values cannot be read.</exception>
    void Read(string tensor, long first, Span<float> into);
}

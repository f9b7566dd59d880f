using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.Weights;

/// <summary>A model's parameters on disk, read part by part. One thread at a time.</summary>
public interface IModelWeights : IDisposable
{
    ModelConfiguration Model { get; }

    /// <summary>The folder that holds them, and the tokenizer's files if there are any.</summary>
    string Folder { get; }

    /// <summary>Reads consecutive values of a tensor of <see cref="UnitLayout"/>, in row-major order.</summary>
    /// <param name="first">The first of them, in elements.</param>
    /// <exception cref="CheckpointException">The values cannot be read.</exception>
    void Read(string tensor, long first, Span<float> into);
}

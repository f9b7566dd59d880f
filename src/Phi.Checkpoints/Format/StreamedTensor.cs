namespace Phi.Checkpoints.Format;

/// <summary>Gives a part of a tensor's bytes; parts are asked for in order, each once, and begin at whole elements.</summary>
public delegate void TensorPart(long firstByte, Span<byte> into);

/// <summary>A tensor whose bytes are made while it is written: it need never be in memory as a whole.</summary>
public sealed record StreamedTensor(string Name, WeightType Type, IReadOnlyList<long> Shape, TensorPart Read)
{
    public long Bytes { get; } = Shape.Aggregate((long)Type.Size(), (product, size) => product * size);
}

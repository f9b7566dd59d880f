namespace Phi.Checkpoints.Format;

/// <summary>A named flat fp32 tensor in memory that the caller owns.</summary>
public readonly unsafe struct ShardTensor(string name, float* values, long length)
{
    public string Name { get; } = name;

    public float* Values { get; } = values;

    public long Length { get; } = length;
}

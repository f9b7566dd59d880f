namespace Phi.Data.Shards;

/// <summary>The shards of one side as one sequence; a window may cross their borders.</summary>
public sealed class TokenShards : ITokenSource, IDisposable
{
    private readonly List<MappedShard> _shards = [];
    private readonly long[] _starts;

    internal TokenShards(string folder, SideIndex side, int bits)
    {
        _starts = new long[side.Shards.Count];
        foreach (var (i, shard) in side.Shards.Index())
        {
            _starts[i] = Length;
            _shards.Add(new MappedShard(Path.Combine(folder, shard.File), bits));
            Length += shard.Tokens;
        }
    }

    public long Length { get; private set; }

    public void CopyTo(long start, Span<long> window)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Length - window.Length);
        var found = Array.BinarySearch(_starts, start);
        for (var shard = found >= 0 ? found : ~found - 1; !window.IsEmpty; shard++)
        {
            var end = shard + 1 < _starts.Length ? _starts[shard + 1] : Length;
            var count = (int)Math.Min(window.Length, end - start);
            _shards[shard].CopyTo(start - _starts[shard], window[..count]);
            window = window[count..];
            start += count;
        }
    }

    public void Dispose() => _shards.ForEach(shard => shard.Dispose());
}

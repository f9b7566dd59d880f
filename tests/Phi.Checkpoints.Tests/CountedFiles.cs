using System.Collections.Concurrent;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>A store that remembers how many bytes of each file were read.</summary>
internal sealed class CountedFiles(ICheckpointFiles files) : ICheckpointFiles
{
    public ConcurrentDictionary<string, long> Bytes { get; } = new(StringComparer.Ordinal);

    public void Read(long step, string file, long first, Span<byte> into)
    {
        files.Read(step, file, first, into);
        var count = into.Length;
        Bytes.AddOrUpdate(file, count, (_, before) => before + count);
    }
}

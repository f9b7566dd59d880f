using System.Runtime.CompilerServices;
using Phi.Data.Shards;
using Phi.Data.Sources;

namespace Phi.Data.Preparation;

/// <summary>The documents of all files in order, each content once.</summary>
internal sealed class DocumentStream(PreparedInputs inputs)
{
    private readonly HashSet<UInt128> _seen = [];

    /// <summary>Read so far, without the duplicates.</summary>
    public long Documents { get; private set; }

    public long Duplicates { get; private set; }

    /// <summary>Of the documents read so far, duplicates included.</summary>
    public long Bytes { get; private set; }

    public async IAsyncEnumerable<(long Number, byte[] Content, ContentHash Hash)> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var file in inputs.Files)
        {
            await foreach (var content in DocumentReader.ReadAsync(file.Path, inputs.TextField, cancellationToken))
            {
                Bytes += content.Length;
                var hash = ContentHash.Of(content);
                if (_seen.Add(hash.Identity))
                {
                    yield return (Documents++, content, hash);
                }
                else
                {
                    Duplicates++;
                }
            }
        }
    }
}

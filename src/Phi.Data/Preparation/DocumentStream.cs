using System.Runtime.CompilerServices;
using Phi.Data.Quality;
using Phi.Data.Shards;
using Phi.Data.Sources;

namespace Phi.Data.Preparation;

/// <summary>
/// The documents of all files in order, each content once, without those that the filter leaves out: first the exact duplicates, then what
/// a rule refuses, then the near duplicates of what is left. So what is left out by a rule makes nothing else a duplicate of it but its copies.
/// </summary>
internal sealed class DocumentStream(PreparedInputs inputs, QualityFilter? filter, int batchBytes)
{
    /// <summary>Of the machine's memory: what signatures of near duplicates may take.</summary>
    private const double MemoryShare = 0.6;
    private readonly HashSet<UInt128> _seen = [];
    private readonly NearDuplicates? _near = filter?.Inputs.NearDuplicates is { } threshold ? new NearDuplicates(threshold, (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * MemoryShare)) : null;

    /// <summary>Of the documents read so far.</summary>
    public ReportBuilder Report { get; } = new(filter);

    /// <summary>Kept so far.</summary>
    public long Documents { get; private set; }

    public async IAsyncEnumerable<KeptDocument> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter is null)
        {
            await foreach (var (document, hash) in ReadOnceAsync(cancellationToken))
            {
                yield return Keep(document, hash);
            }

            yield break;
        }

        var judged = OrderedWork.SelectAsync(ReadOnceAsync(cancellationToken), one => one.Document.Content.Length, batchBytes, (one, cancel) => JudgeAsync(one.Document, cancel), cancellationToken);
        await foreach (var ((document, hash), (refusedBy, signature)) in judged)
        {
            if (refusedBy is { } rule)
            {
                Report.Refused(document, rule);
            }
            else if (signature is not null && _near!.IsNearToOne(signature))
            {
                Report.NearDuplicate(document);
            }
            else
            {
                yield return Keep(document, hash);
            }
        }
    }

    private async IAsyncEnumerable<(SourceDocument Document, ContentHash Hash)> ReadOnceAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var file in inputs.Files)
        {
            await foreach (var document in DocumentReader.ReadAsync(file.Path, inputs.TextField, cancellationToken))
            {
                var hash = ContentHash.Of(document.Content);
                if (_seen.Add(hash.Identity))
                {
                    yield return (document, hash);
                }
                else
                {
                    Report.Duplicate(document);
                }
            }
        }
    }

    private async ValueTask<(int? RefusedBy, ushort[]? Signature)> JudgeAsync(SourceDocument document, CancellationToken cancellationToken)
    {
        var refusedBy = await filter!.RefusedByAsync(document, cancellationToken);
        return (refusedBy, refusedBy is null && _near is not null ? MinHash.Of(document.Content) : null);
    }

    private KeptDocument Keep(SourceDocument document, ContentHash hash) => new(Documents++, document.Content, hash.Place, Report.Kept(document));
}

/// <param name="Number">Among the kept ones, from 0.</param>
/// <param name="Place">See <see cref="ContentHash"/>.</param>
/// <param name="Language">By its name in the report.</param>
internal readonly record struct KeptDocument(long Number, byte[] Content, ulong Place, string Language);

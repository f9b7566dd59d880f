using System.Runtime.CompilerServices;
using Phi.Data.Preparation;
using Phi.Data.Sources;

namespace Phi.Data.Quality.Classifier;

/// <summary>What a model makes of sources: how much of them a threshold leaves out.</summary>
/// <param name="Read">Every document, duplicates too.</param>
/// <param name="Kept">At the threshold.</param>
/// <param name="Share">Of the documents that are left out, 0 to 1.</param>
/// <param name="Thresholds">Shares that others leave out.</param>
/// <param name="Lowest">The documents of the lowest scores, the lowest first.</param>
/// <param name="Highest">Those of the highest, the highest first.</param>
public sealed record ScoreReport(
    string Model, double Threshold, DocumentCount Read, DocumentCount Kept, double Share, IReadOnlyList<ThresholdShare> Thresholds, IReadOnlyList<ScoredDocument> Lowest, IReadOnlyList<ScoredDocument> Highest)
{
    private const int Examples = 5;

    /// <param name="scored">Hears of each document, in order.</param>
    /// <exception cref="DataException">A source cannot be read, or holds nothing; the threshold is out of its range.</exception>
    public static async Task<ScoreReport> OfAsync(QualityModel model, double threshold, IReadOnlyList<string> files, string textField, Action<ScoredDocument> scored, CancellationToken cancellationToken)
    {
        new FilterOptions { Model = "", Threshold = threshold }.Check();
        var (documents, bytes, keptBytes, kept) = (0L, 0L, 0L, 0L);
        var under = new long[9];
        var (lowest, highest) = (new List<ScoredDocument>(), new List<ScoredDocument>());
        var judged = OrderedWork.SelectAsync(ReadAsync(files, textField, cancellationToken), one => one.Content.Length, 1 << 18, (one, _) => ValueTask.FromResult(model.Score(one.Content)), cancellationToken);
        await foreach (var (document, score) in judged)
        {
            var (one, isKept) = (new ScoredDocument(document.Name, score, score >= threshold), score >= threshold);
            scored(one);
            documents++;
            bytes += document.Content.Length;
            kept += isKept ? 1 : 0;
            keptBytes += isKept ? document.Content.Length : 0;
            for (var tenth = 1; tenth <= under.Length; tenth++)
            {
                under[tenth - 1] += score < tenth / 10.0 ? 1 : 0;
            }

            Offer(lowest, one, (candidate, other) => candidate.Score < other.Score);
            Offer(highest, one, (candidate, other) => candidate.Score > other.Score);
        }

        return documents == 0
            ? throw new DataException("the sources hold no text: no file, or only empty ones. Check --sources.")
            : new ScoreReport(
                model.Digest, threshold, new DocumentCount(documents, bytes), new DocumentCount(kept, keptBytes), (double)(documents - kept) / documents,
                [.. under.Select((count, i) => new ThresholdShare((i + 1) / 10.0, (double)count / documents))], lowest, highest);
    }

    private static async IAsyncEnumerable<SourceDocument> ReadAsync(IReadOnlyList<string> files, string textField, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var file in files)
        {
            await foreach (var document in DocumentReader.ReadAsync(file, textField, cancellationToken))
            {
                yield return document;
            }
        }
    }

    private static void Offer(List<ScoredDocument> best, ScoredDocument one, Func<ScoredDocument, ScoredDocument, bool> isBefore)
    {
        var place = best.FindIndex(other => isBefore(one, other));
        best.Insert(place < 0 ? best.Count : place, one);
        if (best.Count > Examples)
        {
            best.RemoveAt(Examples);
        }
    }
}

/// <param name="Share">Of the documents that the threshold leaves out.</param>
public sealed record ThresholdShare(double Threshold, double Share);

public sealed record ScoredDocument(string Name, double Score, bool IsKept);

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Phi.Data.Sources;

namespace Phi.Data.Quality.Classifier;

/// <summary>Documents to label, by chance: those of the lowest hashes of seed and text, so that the same sources give the same sample in the same order.</summary>
public sealed class LabelSampler(long seed)
{
    /// <summary>Of one sample: its texts are held in memory.</summary>
    public const int MostDocuments = 10_000;

    /// <summary>Documents read.</summary>
    public long Read { get; private set; }

    /// <summary>Documents that are no text.</summary>
    public long NoText { get; private set; }

    /// <summary>Adds unlabelled documents to a sheet that are not in it yet.</summary>
    /// <param name="count">At most that many.</param>
    /// <returns>How many were added.</returns>
    /// <exception cref="DataException">A source cannot be read, or the count is out of its range.</exception>
    public async Task<int> AddAsync(LabelSheet sheet, IReadOnlyList<string> files, string textField, int count, CancellationToken cancellationToken)
    {
        if (count is < 1 or > MostDocuments)
        {
            throw new DataException($"the sample (--sample) has {count} documents; it must have from 1 to {MostDocuments}. A few hundred labels train a filter.");
        }

        var (order, chosen) = (new SortedSet<string>(StringComparer.Ordinal), new Dictionary<string, LabelledDocument>(StringComparer.Ordinal));
        foreach (var file in files)
        {
            await foreach (var document in DocumentReader.ReadAsync(file, textField, cancellationToken))
            {
                Read++;
                if (Excerpt.TextOf(document.Content) is not { } text)
                {
                    NoText++;
                    continue;
                }

                var id = LabelledDocument.IdOf(text);
                if (sheet.Contains(id))
                {
                    continue;
                }

                var place = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"phi label {seed} {id}"))));
                if (order.Count == count && string.CompareOrdinal(place, order.Max) > 0 || !order.Add(place))
                {
                    continue;
                }

                chosen.Add(place, new LabelledDocument(id, document.Name, null, text));
                if (order.Count > count)
                {
                    chosen.Remove(order.Max!);
                    order.Remove(order.Max!);
                }
            }
        }

        foreach (var place in order)
        {
            sheet.Add(chosen[place]);
        }

        return chosen.Count;
    }
}

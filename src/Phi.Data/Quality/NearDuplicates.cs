namespace Phi.Data.Quality;

/// <summary>
/// The signatures of the documents that were kept, and which of them a new one may be near to: locality-sensitive hashing. A signature is
/// cut into bands, and only documents with a band in common are compared. Of those that share a band's value, the first stands for all.
/// </summary>
internal sealed class NearDuplicates
{
    /// <summary>A pair at the threshold is compared with at least this probability.</summary>
    private const double Found = 0.99;
    /// <summary>Bytes of a dictionary's entry, its share of the buckets and of what growing leaves free.</summary>
    private const int EntryBytes = 48;
    /// <summary>Of an array, and of what refers to it.</summary>
    private const int ArrayBytes = 40;
    private readonly double _threshold;
    private readonly int _rows;
    private readonly long _mostDocuments;
    private readonly Dictionary<ulong, int> _bands = [];
    private readonly List<ushort[]> _signatures = [];

    public NearDuplicates(double threshold, long memoryBytes)
    {
        _threshold = threshold;
        _rows = Rows(threshold);
        _mostDocuments = Math.Min(memoryBytes / BytesOfADocument(threshold), int.MaxValue);
    }

    /// <summary>What a kept document takes in memory at most.</summary>
    public static long BytesOfADocument(double threshold) => MinHash.Entries * sizeof(ushort) + ArrayBytes + MinHash.Entries / Rows(threshold) * EntryBytes;

    /// <summary>Whether an earlier document is near to this one; if none is, it becomes one of those.</summary>
    /// <exception cref="DataException">The machine's memory does not hold the signatures of so many.</exception>
    public bool IsNearToOne(ushort[] signature)
    {
        for (var band = 0; band < MinHash.Entries / _rows; band++)
        {
            if (_bands.TryGetValue(Key(signature, band), out var other) && MinHash.Similarity(signature, _signatures[other]) >= _threshold)
            {
                return true;
            }
        }

        if (_signatures.Count >= _mostDocuments)
        {
            throw new DataException($"the near duplicates of more than {_mostDocuments} documents take more memory than this machine has to spare ({BytesOfADocument(_threshold)} bytes a document). Prepare parts of the sources one by one, or leave near-duplicates out.");
        }

        for (var band = 0; band < MinHash.Entries / _rows; band++)
        {
            _bands.TryAdd(Key(signature, band), _signatures.Count);
        }

        _signatures.Add(signature);
        return false;
    }

    /// <summary>The most entries in a band with which a pair at the threshold is still found: more make fewer comparisons.</summary>
    internal static int Rows(double threshold)
    {
        for (var rows = 16; rows > 1; rows--)
        {
            if (1 - Math.Pow(1 - Math.Pow(threshold, rows), MinHash.Entries / rows) >= Found)
            {
                return rows;
            }
        }

        return 1;
    }

    private ulong Key(ushort[] signature, int band)
    {
        var key = (ulong)band + 1;
        foreach (var entry in signature.AsSpan(band * _rows, _rows))
        {
            key = (key ^ entry) * 0xFF51AFD7ED558CCDUL;
            key ^= key >> 32;
        }

        return key;
    }
}

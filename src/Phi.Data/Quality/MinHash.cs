using System.Numerics;
using System.Runtime.InteropServices;

namespace Phi.Data.Quality;

/// <summary>
/// MinHash signatures (Broder 1997): of two documents, about the share of equal entries is the Jaccard similarity of their shingles.
/// Each entry is 16 bits of the least value that one of 128 hash functions takes over the shingles.
/// </summary>
internal static class MinHash
{
    public const int Entries = 128;

    /// <summary>Fixed: two runs, and two machines, make the same signatures.</summary>
    private static readonly (uint[] Offsets, uint[] Factors) Functions = Create();

    /// <returns>Null for a document without a word: it is near to none.</returns>
    public static ushort[]? Of(ReadOnlySpan<byte> content)
    {
        var shingles = Shingles.Of(content);
        if (shingles.Count == 0)
        {
            return null;
        }

        var least = new uint[Entries];
        Array.Fill(least, uint.MaxValue);
        var (offsets, factors) = Functions;
        foreach (var shingle in CollectionsMarshal.AsSpan(shingles))
        {
            var value = new Vector<uint>(shingle);
            for (var i = 0; i < Entries; i += Vector<uint>.Count)
            {
                // A bijection of 32 bits for each function: an odd factor, a rotation by shifts, and another.
                var mixed = (value ^ new Vector<uint>(offsets, i)) * new Vector<uint>(factors, i);
                mixed ^= mixed >>> 15;
                Vector.Min(new Vector<uint>(least, i), mixed * new Vector<uint>(0x85EBCA6Bu)).CopyTo(least, i);
            }
        }

        // The least values of long texts are all small; their lower bits tell them apart.
        return Array.ConvertAll(least, one => (ushort)((one * 0x9E3779B1u) >> 16));
    }

    /// <summary>Estimate of the Jaccard similarity.</summary>
    public static double Similarity(ReadOnlySpan<ushort> one, ReadOnlySpan<ushort> other)
    {
        var equal = 0;
        for (var i = 0; i < Entries; i++)
        {
            equal += one[i] == other[i] ? 1 : 0;
        }

        return (double)equal / Entries;
    }

    private static (uint[] Offsets, uint[] Factors) Create()
    {
        var (state, offsets, factors) = (1UL, new uint[Entries], new uint[Entries]);
        for (var i = 0; i < Entries; i++)
        {
            (offsets[i], factors[i]) = (Next(), Next() | 1);
        }

        return (offsets, factors);

        // SplitMix64.
        uint Next()
        {
            state += 0x9E3779B97F4A7C15UL;
            var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
            return (uint)((mixed ^ (mixed >> 31)) >> 32);
        }
    }
}

using System.Runtime.InteropServices;

namespace Phi.Data.Quality.Classifier;

/// <summary>
/// What the classifier sees of a document's <see cref="Excerpt"/>: its words, the parts of its names and its pairs of words, hashed into
/// buckets (square roots of their counts, of length 1 together), and its <see cref="TextStyle"/>. A word is a name, a number, which are all
/// the same one, or a sign; an indented line begins with the word of its indentation.
/// </summary>
internal sealed record TextFeatures(int[] Buckets, float[] Values, double[] Style)
{
    public const int BucketCount = 1 << 16;
    private const ulong Basis = 14695981039346656037;
    private const ulong Prime = 1099511628211;
    private const ulong PartSalt = 0x9E3779B97F4A7C15;
    private const ulong PairSalt = 0xC2B2AE3D27D4EB4F;
    private static readonly ulong Number = Hash("0"u8);

    public static TextFeatures Of(ReadOnlySpan<byte> content)
    {
        var text = Excerpt.Of(content);
        var counts = new Counts();
        var (words, distinct, before) = (0L, new HashSet<ulong>(), 0UL);
        for (var i = 0; i < text.Length;)
        {
            var end = EndOfWord(text, i);
            if (end > i)
            {
                var word = Word(text[i..end], counts);
                counts.Add(word);
                counts.Add((before ^ PairSalt) * Prime ^ word);
                words++;
                distinct.Add(word);
                before = word;
            }

            i = Math.Max(end, i + 1);
        }

        var (buckets, values) = counts.Take();
        return new TextFeatures(buckets, values, TextStyle.Of(text, (words, distinct.Count)));
    }

    /// <returns>The same place for white space within a line, which is no word.</returns>
    private static int EndOfWord(ReadOnlySpan<byte> text, int at)
    {
        var end = at;
        if (IsName(text[at]))
        {
            while (end < text.Length && IsName(text[end]))
            {
                end++;
            }
        }
        else if (text[at] == '\n')
        {
            end++;
            while (end < text.Length && text[end] is (byte)' ' or (byte)'\t')
            {
                end++;
            }
        }
        else if (text[at] is not ((byte)' ' or (byte)'\t' or (byte)'\r'))
        {
            end++;
        }

        return end;
    }

    private static ulong Word(ReadOnlySpan<byte> word, Counts counts)
    {
        if (char.IsAsciiDigit((char)word[0]))
        {
            return Number;
        }

        if (word[0] == '\n')
        {
            // Indentation of a few depths, whatever its width is exactly.
            return (Basis ^ (ulong)Math.Min(word.Length / 2, 8)) * Prime * Prime;
        }

        if (word.Contains((byte)'_'))
        {
            foreach (var part in word.Split((byte)'_'))
            {
                if (part.End.Value > part.Start.Value)
                {
                    counts.Add(Hash(word[part]) ^ PartSalt);
                }
            }
        }

        return Hash(word);
    }

    private static bool IsName(byte one) => one is (byte)'_' or >= 0x80 || char.IsAsciiLetterOrDigit((char)one);

    private static ulong Hash(ReadOnlySpan<byte> word)
    {
        var hash = Basis;
        foreach (var one in word)
        {
            hash = (hash ^ one) * Prime;
        }

        return hash;
    }

    /// <summary>Counts of the buckets, in an array that each thread keeps.</summary>
    private sealed class Counts
    {
        [ThreadStatic]
        private static int[]? _array;
        private readonly int[] _counts = _array ??= new int[BucketCount];
        private readonly List<int> _touched = [];

        public void Add(ulong hash)
        {
            hash ^= hash >> 29;
            hash *= 0xBF58476D1CE4E5B9;
            var bucket = (int)(hash >> 48);
            if (_counts[bucket] == 0)
            {
                _touched.Add(bucket);
            }

            _counts[bucket]++;
        }

        /// <summary>In the order of the buckets; the array is zero afterwards.</summary>
        public (int[] Buckets, float[] Values) Take()
        {
            _touched.Sort();
            var (values, sum) = (new float[_touched.Count], 0L);
            foreach (var bucket in CollectionsMarshal.AsSpan(_touched))
            {
                sum += _counts[bucket];
            }

            for (var i = 0; i < values.Length; i++)
            {
                // The squares of square roots add up to the sum.
                values[i] = (float)Math.Sqrt((double)_counts[_touched[i]] / sum);
                _counts[_touched[i]] = 0;
            }

            return ([.. _touched], values);
        }
    }
}

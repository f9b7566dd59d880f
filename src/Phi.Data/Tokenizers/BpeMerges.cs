using System.Runtime.InteropServices;

namespace Phi.Data.Tokenizers;

/// <summary>
/// Finds the merges of byte-level BPE (Sennrich, Haddow, Birch, ACL 2016): again and again the most frequent pair of neighbours within words
/// becomes a token. Of equal counts the pair of the smaller left, then the smaller right token wins. Only the words that hold a merged
/// pair are counted again; a heap finds the next one.
/// </summary>
internal sealed class BpeMerges
{
    /// <summary>A pair that occurs once is no pattern.</summary>
    private const long LeastCount = 2;
    private readonly List<Word> _words = [];
    private readonly Dictionary<ulong, Pair> _pairs = [];
    private readonly PriorityQueue<(ulong Key, long Count), (long, ulong)> _queue = new();
    private readonly Dictionary<byte[], int> _numbers = new(ByteSequenceComparer.Instance);
    private readonly HashSet<ulong> _grown = [];
    private int _round;

    public BpeMerges(IReadOnlyDictionary<byte[], long> counts)
    {
        for (var value = 0; value < 256; value++)
        {
            AddToken([(byte)value]);
        }

        foreach (var (bytes, count) in counts)
        {
            _words.Add(new Word([.. bytes.Select(value => (int)value)], count));
            AddPairs(_words.Count - 1);
        }

        Enqueue(_pairs.Keys);
    }

    /// <summary>Bytes of each token: the 256 bytes, then the merged ones as they were found.</summary>
    public List<byte[]> Tokens { get; } = [];

    public List<(int Left, int Right)> Merges { get; } = [];

    /// <summary>Merges until there are so many tokens, or no pair occurs twice.</summary>
    /// <param name="progress">Hears the number of tokens after each merge.</param>
    public void Run(int tokens, Action<int> progress, CancellationToken cancellationToken)
    {
        while (Tokens.Count < tokens && Next() is { } key)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (left, right) = ((int)(key >> 32), (int)(uint)key);
            Merges.Add((left, right));
            Merge(key, left, right, AddToken([.. Tokens[left], .. Tokens[right]]));
            progress(Tokens.Count);
        }
    }

    /// <summary>The most frequent pair. An entry of the queue may be out of date; the count itself is not.</summary>
    private ulong? Next()
    {
        while (_queue.TryDequeue(out var entry, out _))
        {
            var count = _pairs.TryGetValue(entry.Key, out var pair) ? pair.Count : 0;
            if (count < LeastCount)
            {
                continue;
            }

            if (count == entry.Count)
            {
                return entry.Key;
            }

            if (count < entry.Count)
            {
                Enqueue([entry.Key]);
            }
        }

        return null;
    }

    private void Merge(ulong key, int left, int right, int merged)
    {
        _round++;
        _grown.Clear();
        _pairs.Remove(key, out var pair);
        foreach (var index in pair!.Words)
        {
            var word = _words[index];
            if (word.Round == _round)
            {
                continue;
            }

            word.Round = _round;
            Count(word, -word.Count);
            Replace(word, left, right, merged);
            AddPairs(index, merged);
        }

        Enqueue(_grown);
    }

    private void Count(Word word, long change)
    {
        var tokens = word.Tokens.AsSpan(0, word.Length);
        for (var i = 0; i + 1 < tokens.Length; i++)
        {
            if (_pairs.TryGetValue(BpeVocabulary.Pair(tokens[i], tokens[i + 1]), out var pair))
            {
                pair.Count += change;
            }
        }
    }

    private static void Replace(Word word, int left, int right, int merged)
    {
        var (from, to) = (0, 0);
        var tokens = word.Tokens;
        while (from < word.Length)
        {
            var isPair = tokens[from] == left && from + 1 < word.Length && tokens[from + 1] == right;
            tokens[to++] = isPair ? merged : tokens[from];
            from += isPair ? 2 : 1;
        }

        word.Length = to;
    }

    /// <summary>Counts a word's pairs. Only those with the token that a merge made can be new to the word.</summary>
    private void AddPairs(int index, int made = -1)
    {
        var word = _words[index];
        for (var i = 0; i + 1 < word.Length; i++)
        {
            var key = BpeVocabulary.Pair(word.Tokens[i], word.Tokens[i + 1]);
            ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, key, out _);
            pair ??= new Pair();
            pair.Count += word.Count;
            if (made < 0 || word.Tokens[i] == made || word.Tokens[i + 1] == made)
            {
                pair.Words.Add(index);
                _grown.Add(key);
            }
        }
    }

    private void Enqueue(IEnumerable<ulong> keys)
    {
        foreach (var key in keys)
        {
            if (_pairs.TryGetValue(key, out var pair))
            {
                _queue.Enqueue((key, pair.Count), (-pair.Count, key));
            }
        }
    }

    /// <summary>Two pairs may make the same bytes: they are one token.</summary>
    private int AddToken(byte[] bytes)
    {
        if (!_numbers.TryGetValue(bytes, out var number))
        {
            number = Tokens.Count;
            _numbers.Add(bytes, number);
            Tokens.Add(bytes);
        }

        return number;
    }

    private sealed class Word(int[] tokens, long count)
    {
        public int[] Tokens { get; } = tokens;
        public int Length { get; set; } = tokens.Length;
        public long Count { get; } = count;
        public int Round { get; set; }
    }

    private sealed class Pair
    {
        public long Count { get; set; }
        public List<int> Words { get; } = [];
    }
}

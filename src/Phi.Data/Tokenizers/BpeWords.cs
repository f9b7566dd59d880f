using System.Runtime.InteropServices;

namespace Phi.Data.Tokenizers;

/// <summary>Merges the bytes of words, and remembers the short ones. For one thread at a time.</summary>
internal sealed class BpeWords(BpeVocabulary vocabulary)
{
    private const int LongestKept = 48;
    private const int MostKept = 1 << 16;
    private readonly Dictionary<byte[], int[]> _known = new(ByteSequenceComparer.Instance);
    private readonly PriorityQueue<(int At, int Left, int Right), (int Rank, int At)> _queue = new();
    private readonly List<(int At, int Next)> _made = [];
    private int[] _tokens = new int[64];
    private int[] _next = new int[64];
    private int[] _previous = new int[64];

    public void Encode(ReadOnlySpan<byte> word, List<int> into)
    {
        var known = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (known.TryGetValue(word, out var tokens))
        {
            into.AddRange(tokens);
            return;
        }

        var start = into.Count;
        Merge(word, into);
        if (word.Length <= LongestKept)
        {
            if (_known.Count == MostKept)
            {
                _known.Clear();
            }

            known[word] = CollectionsMarshal.AsSpan(into)[start..].ToArray();
        }
    }

    /// <summary>The pair that merges first is merged wherever it is, from the left; then the next. A queue, so that a long word costs n log n.</summary>
    private void Merge(ReadOnlySpan<byte> word, List<int> into)
    {
        Start(word);
        while (_queue.TryPeek(out _, out var first))
        {
            _made.Clear();
            while (_queue.TryPeek(out var pair, out var priority) && priority.Rank == first.Rank)
            {
                _queue.Dequeue();
                var right = _next[pair.At];
                if (_tokens[pair.At] == pair.Left && right < word.Length && _tokens[right] == pair.Right)
                {
                    Join(pair.At, right, word.Length);
                }
            }

            // Pairs with the new tokens wait until the pair is merged everywhere.
            foreach (var (at, next) in _made)
            {
                Offer(at, next, word.Length);
            }
        }

        for (var at = 0; at < word.Length; at = _next[at])
        {
            into.Add(_tokens[at]);
        }
    }

    private void Start(ReadOnlySpan<byte> word)
    {
        if (_tokens.Length < word.Length)
        {
            _tokens = new int[word.Length * 2];
            _next = new int[word.Length * 2];
            _previous = new int[word.Length * 2];
        }

        for (var i = 0; i < word.Length; i++)
        {
            (_tokens[i], _next[i], _previous[i]) = (vocabulary.ByteTokens[word[i]], i + 1, i - 1);
        }

        for (var i = 0; i + 1 < word.Length; i++)
        {
            Offer(i, i + 1, word.Length);
        }
    }

    private void Join(int at, int right, int end)
    {
        _tokens[at] = vocabulary.Merges[BpeVocabulary.Pair(_tokens[at], _tokens[right])].Token;
        _tokens[right] = -1;
        _next[at] = _next[right];
        if (_next[at] < end)
        {
            _previous[_next[at]] = at;
            _made.Add((at, _next[at]));
        }

        if (_previous[at] >= 0)
        {
            _made.Add((_previous[at], at));
        }
    }

    private void Offer(int at, int next, int end)
    {
        // A later merge of the same round may have taken either side.
        if (_tokens[at] >= 0 && next < end && _next[at] == next && vocabulary.Merges.TryGetValue(BpeVocabulary.Pair(_tokens[at], _tokens[next]), out var merge))
        {
            _queue.Enqueue((at, _tokens[at], _tokens[next]), (merge.Rank, at));
        }
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Phi.Data.Tokenizers;

namespace Phi.Trainer.Completions;

/// <summary>
/// A completion as it grows. It is kept as bytes: a token may end within a character, and a stop may begin in one token and end in another.
/// In UTF-8 a text is found among bytes where it is found among characters.
/// </summary>
internal sealed class CompletionText(ITokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly byte[][] _stops = [.. stops.Select(Encoding.UTF8.GetBytes)];
    private readonly List<byte> _bytes = [];

    /// <summary>Whether the text has come to a stop; it is then cut before the first one.</summary>
    public bool Add(int token)
    {
        var before = _bytes.Count;
        tokenizer.Decode([token], _bytes);
        var first = int.MaxValue;
        foreach (var stop in _stops)
        {
            // What ended before this token was looked at then.
            var from = Math.Max(0, before - stop.Length + 1);
            if (CollectionsMarshal.AsSpan(_bytes)[from..].IndexOf(stop) is >= 0 and var at)
            {
                first = Math.Min(first, from + at);
            }
        }

        if (first == int.MaxValue)
        {
            return false;
        }

        _bytes.RemoveRange(first, _bytes.Count - first);
        return true;
    }

    /// <summary>The text so far. A character whose last bytes are missing at its end is left out; bytes that are no UTF-8 become U+FFFD.</summary>
    public override string ToString()
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(_bytes.Count)];
        var count = Encoding.UTF8.GetDecoder().GetChars(CollectionsMarshal.AsSpan(_bytes), characters, flush: false);
        return new string(characters, 0, count);
    }
}

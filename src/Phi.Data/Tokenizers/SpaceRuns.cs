namespace Phi.Data.Tokenizers;

/// <summary>
/// Codegen's tokens for indentation beyond GPT-2's: runs of 31 to 2 spaces are 50257 to 50286, runs of 9 to 2 tabs 50287 to 50294, unless
/// the vocabulary numbers them itself. They are taken out of the text before it is cut into words, the longest first.
/// </summary>
internal sealed class SpaceRuns
{
    private const int FirstToken = 50257;
    private const int MostSpaces = 31;
    private const int MostTabs = 9;
    private readonly int[] _spaces = new int[MostSpaces + 1];
    private readonly int[] _tabs = new int[MostTabs + 1];
    private readonly List<(string Text, int Number)> _tokens = [];
    private readonly List<(string Text, int Number)> _added = [];

    /// <summary>Adds the runs that the vocabulary lacks to it.</summary>
    /// <exception cref="DataException">Their numbers belong to other tokens.</exception>
    public SpaceRuns(BpeVocabulary vocabulary)
    {
        var next = FirstToken;
        foreach (var (character, numbers) in new[] { (' ', _spaces), ('\t', _tabs) })
        {
            for (var length = numbers.Length - 1; length >= 2; length--, next++)
            {
                var text = new string(character, length);
                if (!vocabulary.Literals.TryGetValue(text, out numbers[length]))
                {
                    numbers[length] = next;
                    if (next == vocabulary.EndOfText || (next < vocabulary.Tokens.Count && vocabulary.Tokens[next] is not null))
                    {
                        throw new DataException($"vocab.json gives {next} to a token of its own, and codegen gives it to a run of {length} {(character == ' ' ? "spaces" : "tabs")}. Use bpe for this vocabulary.");
                    }

                    vocabulary.Put(next, [.. Enumerable.Repeat((byte)character, length)]);
                    _added.Add((text, next));
                }

                _tokens.Add((text, numbers[length]));
            }
        }
    }

    public IReadOnlyList<(string Text, int Number)> Tokens => _tokens;

    /// <summary>Those of <see cref="Tokens"/> that the vocabulary lacks.</summary>
    public IReadOnlyList<(string Text, int Number)> Added => _added;

    /// <summary>Where the first run of at least two begins, its length and its token; the text's length if there is none.</summary>
    public int Find(ReadOnlySpan<byte> text, out int length, out int token)
    {
        for (var at = 0; at < text.Length; at++)
        {
            var step = text[at..].IndexOfAny((byte)' ', (byte)'\t');
            if (step < 0)
            {
                break;
            }

            at += step;
            var numbers = text[at] == ' ' ? _spaces : _tabs;
            length = 1;
            while (length < numbers.Length - 1 && at + length < text.Length && text[at + length] == text[at])
            {
                length++;
            }

            if (length > 1)
            {
                token = numbers[length];
                return at;
            }
        }

        length = token = 0;
        return text.Length;
    }
}

namespace Phi.Data.Quality;

/// <summary>
/// What near duplicates share: the hashes of each five words in a row. A word is a run of letters, digits, '_' and bytes beyond ASCII, so that
/// layout and punctuation do not count.
/// </summary>
internal static class Shingles
{
    public const int Words = 5;

    /// <returns>Hashes; one of all words where they are fewer than five, none where there is no word.</returns>
    public static List<uint> Of(ReadOnlySpan<byte> content)
    {
        var (hashes, window, count) = (new List<uint>(content.Length / 8), new ulong[Words], 0);
        for (var i = 0; i < content.Length;)
        {
            if (!IsWord(content[i]))
            {
                i++;
                continue;
            }

            var hash = 14695981039346656037UL;
            for (; i < content.Length && IsWord(content[i]); i++)
            {
                hash = (hash ^ content[i]) * 1099511628211UL;
            }

            window[count++ % Words] = hash;
            if (count >= Words)
            {
                hashes.Add(Hash(window, count - Words, Words));
            }
        }

        if (count is > 0 and < Words)
        {
            hashes.Add(Hash(window, 0, count));
        }

        return hashes;
    }

    private static bool IsWord(byte one) => one is (byte)'_' or >= 0x80 || char.IsAsciiLetterOrDigit((char)one);

    private static uint Hash(ulong[] window, int start, int count)
    {
        var hash = 0x9E3779B97F4A7C15UL;
        for (var i = start; i < start + count; i++)
        {
            hash = (hash ^ window[i % Words]) * 0xFF51AFD7ED558CCDUL;
            hash ^= hash >> 32;
        }

        return (uint)(hash >> 32) ^ (uint)hash;
    }
}

namespace Phi.Training.Data;

/// <summary>Packs files into byte tokens, each file ended by the end-of-text token.</summary>
public static class ByteCorpus
{
    /// <summary>The token after the 256 bytes.</summary>
    public const ushort EndOfText = 256;

    /// <summary>Files in ordinal order of their paths, so that every machine packs the same tokens.</summary>
    /// <exception cref="DataException">There is no file, or all are empty.</exception>
    public static ushort[] Pack(IEnumerable<string> files)
    {
        var contents = files.Order(StringComparer.Ordinal).Distinct().Select(File.ReadAllBytes).Where(bytes => bytes.Length > 0).ToList();
        if (contents.Count == 0)
        {
            throw new DataException("the sources hold no text: no file, or only empty ones. Check data.sources.");
        }

        var tokens = new ushort[contents.Sum(bytes => bytes.LongLength + 1)];
        var at = 0L;
        foreach (var bytes in contents)
        {
            foreach (var value in bytes)
            {
                tokens[at++] = value;
            }

            tokens[at++] = EndOfText;
        }

        return tokens;
    }
}

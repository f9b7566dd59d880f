namespace Phi.Data.Sources;

/// <summary>A text file is one document; a long one is cut at ends of lines into documents of at most <see cref="MostBytes"/>.</summary>
internal static class TextDocuments
{
    /// <summary>Bounds the memory of a document and its tokens.</summary>
    public const int MostBytes = 8 << 20;

    public static IEnumerable<SourceDocument> Read(Stream stream, string path)
    {
        var buffer = new byte[64 << 10];
        var (filled, number) = (0, 0);
        while (true)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(filled), buffer.Length - filled, throwOnEndOfStream: false);
            var isEnd = filled + read < buffer.Length;
            filled += read;
            if (!isEnd && buffer.Length < MostBytes)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MostBytes));
                continue;
            }

            var lines = isEnd ? filled : buffer.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
            var length = lines > 0 ? lines : filled;
            if (length > 0)
            {
                // The one part of a short file is the file.
                number += isEnd && number == 0 ? 0 : 1;
                yield return new SourceDocument(buffer[..length], path, number, RecordFacts.None);
            }

            if (isEnd)
            {
                yield break;
            }

            buffer.AsSpan(length, filled - length).CopyTo(buffer);
            filled -= length;
        }
    }
}

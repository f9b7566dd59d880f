using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Phi.Data.Sources;

/// <summary>
/// The documents of a file, by its name: <c>.parquet</c> has one a row, <c>.jsonl</c>, <c>.ndjson</c> and gzip'ed <c>.json.gz</c> one a line, any other file is
/// text and is one. <c>.gz</c> is read through.
/// </summary>
public static class DocumentReader
{
    private static readonly string[] JsonLines = [".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".json.gz"];

    /// <summary>In the file's order; empty documents are left out.</summary>
    /// <param name="textField">Field of a JSON line, or column of a Parquet file, that holds the text.</param>
    /// <exception cref="DataException">The file cannot be read; the message names the line, or the row group.</exception>
    public static async IAsyncEnumerable<SourceDocument> ReadAsync(string path, string textField, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var file = Open(path);
        if (path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase))
        {
            await foreach (var document in ParquetDocuments.ReadAsync(file, path, textField, cancellationToken))
            {
                yield return document;
            }

            yield break;
        }

        await using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        var isJson = JsonLines.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));
        var documents = isJson ? JsonLineDocuments.Read(stream, path, textField) : TextDocuments.Read(stream, path);
        using var each = documents.GetEnumerator();
        while (Next(each, path) is { } document)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return document;
        }
    }

    private static SourceDocument? Next(IEnumerator<SourceDocument> documents, string path)
    {
        try
        {
            return documents.MoveNext() ? documents.Current : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Replace the file, or leave it out of the sources.");
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan | FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Make it readable, or leave it out of the sources.");
        }
    }
}

using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Phi.Evaluation.Suites;

/// <summary>Reads a suite from a file or an address. The digest of its bytes is checked before anything of it is read.</summary>
public sealed class SuiteLoader(HttpClient http)
{
    private const int LargestFile = 64 << 20;
    private const int LargestText = 256 << 20;
    private const int MostProblems = 100_000;
    private static readonly char[] HexDigits = [.. "0123456789abcdef"];
    private static readonly SearchValues<char> Hex = SearchValues.Create(HexDigits);

    /// <param name="source">A path, or an address that begins with http:// or https://. Either may be of gzip.</param>
    /// <param name="sha256">The digest that the file must have; null: any for a path, one that is known for an address.</param>
    /// <exception cref="EvaluationException">It cannot be read, is not what its digest says, or a record is wrong.</exception>
    public async Task<Suite> LoadAsync(SuiteKind kind, string source, string? sha256, CancellationToken cancellationToken)
    {
        var wanted = sha256?.Trim().ToLowerInvariant();
        if (wanted is not null && (wanted.Length != 64 || wanted.AsSpan().ContainsAnyExcept(Hex)))
        {
            throw new EvaluationException($"sha256 is '{sha256}'; it must have 64 hexadecimal digits, as sha256sum prints them.");
        }

        var isAddress = Uri.TryCreate(source, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
        var bytes = isAddress ? await DownloadAsync(uri!, cancellationToken) : await ReadAsync(source, cancellationToken);
        var seen = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (wanted is not null && wanted != seen)
        {
            throw new EvaluationException($"{source} has the SHA-256 {seen}; {wanted} was asked for. It is another file, or was changed: get it anew, or give the digest of the one you trust.");
        }

        if (isAddress && wanted is null && !KnownDigests.Of[kind].Contains(seen))
        {
            throw new EvaluationException($"{source} has the SHA-256 {seen}, which is none of the published file's. Give --sha256 {seen} if this is the file that you trust.");
        }

        return new Suite(kind, source, seen, Read(kind, source, Unpack(bytes, source)));
    }

    private static List<Problem> Read(SuiteKind kind, string source, ReadOnlyMemory<byte> text)
    {
        var (problems, ids) = (new List<Problem>(), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var fields in Records(kind, source, text))
        {
            var (id, problem) = kind == SuiteKind.HumanEval && HumanEvalRecords.Read(fields) is var read ? (read.TaskId, read) : MbppRecords.Read(fields);
            if (!ids.TryAdd(id, fields.Place))
            {
                throw fields.Wrong("field task_id", $"is {id}, which {ids[id]} has too; each problem may be there once");
            }

            if (ids.Count > MostProblems)
            {
                throw new EvaluationException($"{source} holds more than {MostProblems} problems, which no suite does. Name a file of a suite.");
            }

            if (problem is not null)
            {
                problems.Add(problem);
            }
        }

        return problems.Count > 0 ? problems : throw new EvaluationException($"{source} holds no problem{(ids.Count > 0 ? " of the test part, tasks 11 to 510" : "")}. {Shape(kind)}");
    }

    private static IEnumerable<RecordFields> Records(SuiteKind kind, string source, ReadOnlyMemory<byte> text)
    {
        var shape = Shape(kind);
        if (kind == SuiteKind.Mbpp && text.Span.TrimStart(" \t\r\n"u8).StartsWith("["u8))
        {
            using var all = RecordFields.Parse(text, source, shape);
            var at = 0;
            foreach (var record in all.RootElement.EnumerateArray())
            {
                yield return new RecordFields(record, $"{source} record {++at}", shape);
            }

            yield break;
        }

        foreach (var (number, line) in JsonLines.Of(text))
        {
            var place = $"{source} line {number}";
            using var record = RecordFields.Parse(line, place, shape);
            yield return new RecordFields(record.RootElement, place, shape);
        }
    }

    private static string Shape(SuiteKind kind) => kind == SuiteKind.HumanEval ? HumanEvalRecords.Shape : MbppRecords.Shape;

    private static byte[] Unpack(byte[] bytes, string source)
    {
        if (bytes is not [0x1f, 0x8b, ..])
        {
            return WithoutMark(bytes);
        }

        try
        {
            using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            return WithoutMark(BoundedRead.All(gzip, LargestText, source + ", unpacked,"));
        }
        catch (InvalidDataException e)
        {
            throw new EvaluationException($"{source} is damaged gzip: {e.Message} Get it anew.");
        }
    }

    private static byte[] WithoutMark(byte[] bytes) => bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(path);
            return await BoundedRead.AllAsync(file, LargestFile, path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new EvaluationException($"{path} cannot be read: {e.Message} Name the suite's file, or its http or https address.");
        }
    }

    private async Task<byte[]> DownloadAsync(Uri uri, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw new EvaluationException($"{uri} answered {(int)response.StatusCode} {response.ReasonPhrase}. Name an address that gives the file, or a path to it.");
            }

            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await BoundedRead.AllAsync(body, LargestFile, uri.ToString(), cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new EvaluationException($"{uri} cannot be read: {e.Message} Check the address and the network, or name a path to the file.");
        }
    }
}

using System.Text;
using Parquet;
using Parquet.Schema;
using Phi.Data.Sources;

namespace Phi.Data.Tests;

/// <summary>Documents of real files of each kind.</summary>
public sealed class DocumentReaderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Read_ATextFile_IsOneDocumentOfItsBytes()
    {
        byte[] content = [(byte)'a', 0xff, (byte)'\n', 0];

        Assert.Equal([content], await ReadAsync(_folder.Write("a.py", content)));
        Assert.Empty(await ReadAsync(_folder.Write("empty.txt", "")));
        Assert.Equal(["{\"text\": 1}"], Texts(await ReadAsync(_folder.Write("settings.json", "{\"text\": 1}"))));
        Assert.Equal(["zipped"], Texts(await ReadAsync(_folder.WriteGzip("b.txt.gz", "zipped"))));
    }

    [Theory]
    [InlineData("a.txt.gz")]
    [InlineData("a.jsonl.gz")]
    public async Task Read_ACutOffGzip_IsNamed(string name)
    {
        var path = _folder.WriteGzip(name, string.Concat(Enumerable.Range(0, 5000).Select(i => $"{{\"text\":\"{i * 7919}\"}}\n")));
        var whole = File.ReadAllBytes(path);
        foreach (var length in new[] { whole.Length / 2, whole.Length - 4 })
        {
            File.WriteAllBytes(path, whole[..length]);

            Assert.Contains($"{name} cannot be read", (await Assert.ThrowsAsync<DataException>(() => ReadAsync(path))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Read_ALongTextFile_IsCutAtEndsOfLines()
    {
        var line = Encoding.UTF8.GetBytes(new string('x', 999) + "\n");
        var content = Enumerable.Repeat(line, 20_000).SelectMany(bytes => bytes).ToArray();

        var documents = await ReadAsync(_folder.Write("long.txt", content));

        Assert.Equal(content, documents.SelectMany(document => document));
        Assert.All(documents, document => Assert.True(document.Length <= 8 << 20 && document[^1] == '\n'));
        Assert.Equal(3, documents.Count);
    }

    [Theory]
    [InlineData("a.jsonl", false)]
    [InlineData("a.ndjson", false)]
    [InlineData("a.jsonl.gz", true)]
    [InlineData("a.json.gz", true)]
    public async Task Read_JsonLines_HasADocumentALine(string name, bool isZipped)
    {
        const string Text = "\uFEFF{\"id\":1,\"text\":\"one\\n\\u00e9\",\"meta\":{\"text\":\"no\"}}\r\n\n{\"text\":\"\"}\n{\"text\":\"two\"}";
        var path = isZipped ? _folder.WriteGzip(name, Text) : _folder.Write(name, Text);

        Assert.Equal(["one\né", "two"], Texts(await ReadAsync(path)));
    }

    [Fact]
    public async Task Read_JsonLinesLongerThanTheBuffer_AreWhole()
    {
        var texts = Enumerable.Range(1, 40).Select(i => new string((char)('a' + i % 26), i * 7919)).ToList();

        var documents = await ReadAsync(_folder.Write("a.jsonl", string.Concat(texts.Select(text => $"{{\"content\":\"{text}\"}}\n"))), "content");

        Assert.Equal(texts, Texts(documents));
    }

    [Theory]
    [InlineData("{\"text\":\"a\"}\n{\"text\":", "line 2 is no JSON object")]
    [InlineData("{\"text\":\"a\"} x\n", "line 1 is no JSON object")]
    [InlineData("\n\n[\"text\"]\n", "line 3 is no JSON object")]
    [InlineData("{\"text\":\"\\ud800\"}\n", "line 1 is no JSON object")]
    [InlineData("{\"txt\":\"a\"}\n", "line 1 has no text in the field 'text'")]
    [InlineData("{\"text\":3}\n", "line 1 has no text in the field 'text'")]
    public async Task Read_ABadLine_NamesFileAndLine(string content, string expected)
    {
        var path = _folder.Write("bad.jsonl", content);

        var error = await Assert.ThrowsAsync<DataException>(() => ReadAsync(path));

        Assert.Contains($"{path} {expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_AFileThatIsNotWhatItsNameSays_NamesIt()
    {
        var gzip = _folder.Write("bad.json.gz", "no gzip");
        var parquet = _folder.Write("bad.parquet", "no parquet, but long enough to look for a footer");

        Assert.Contains(gzip, (await Assert.ThrowsAsync<DataException>(() => ReadAsync(gzip))).Message, StringComparison.Ordinal);
        Assert.Contains($"{parquet} is no Parquet file", (await Assert.ThrowsAsync<DataException>(() => ReadAsync(parquet))).Message, StringComparison.Ordinal);
        Assert.Contains("/nowhere.txt", (await Assert.ThrowsAsync<DataException>(() => ReadAsync("/nowhere.txt"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Parquet_HasADocumentARowOfEveryGroup()
    {
        var path = await WriteParquetAsync(["one", null, "zwei\n"], ["", "drei"]);

        Assert.Equal(["one", "zwei\n", "drei"], Texts(await ReadAsync(path)));
    }

    [Fact]
    public async Task Read_ParquetWithoutTheColumn_NamesThoseItHas()
    {
        var path = await WriteParquetAsync(["one"]);

        var error = await Assert.ThrowsAsync<DataException>(() => ReadAsync(path, "content"));

        Assert.Contains("no column of text 'content', but id, text", error.Message, StringComparison.Ordinal);
    }

    internal static async Task<List<byte[]>> ReadAsync(string path, string field = "text")
    {
        var documents = new List<byte[]>();
        await foreach (var document in DocumentReader.ReadAsync(path, field, CancellationToken.None))
        {
            documents.Add(document.Content);
        }

        return documents;
    }

    private static IEnumerable<string> Texts(IEnumerable<byte[]> documents) => documents.Select(Encoding.UTF8.GetString);

    private async Task<string> WriteParquetAsync(params string?[][] groups)
    {
        var (id, text) = (new DataField<int>("id"), new DataField<string>("text"));
        await using (var stream = File.Create(_folder["a.parquet"]))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(id, text), stream);
            foreach (var values in groups)
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync<int>(id, values.Index().Select(pair => pair.Index).ToArray().AsMemory());
                await group.WriteAsync(text, values!);
            }
        }

        return _folder["a.parquet"];
    }
}

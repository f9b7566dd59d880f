using Parquet;
using Parquet.Schema;
using Phi.Data.Sources;

namespace Phi.Data.Tests;

/// <summary>What records say of themselves, and where documents stand.</summary>
public sealed class RecordFactsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Read_ParquetAsTheStackHasIt_GivesLanguageLicencesAndPathOfEachRow()
    {
        var (text, lang, path, licenses) = (new DataField<string>("content"), new DataField<string>("lang"), new DataField<string>("max_stars_repo_path"), new DataField<string>("element"));
        await using (var stream = File.Create(_folder["a.parquet"]))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, lang, path, new ListField("max_stars_repo_licenses", licenses)), stream);
            for (var i = 0; i < 2; i++)
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync(text, ["one", "", "three"]);
                await group.WriteAsync(lang, ["Python", "C", null!]);
                await group.WriteAsync(path, ["a/b.py", "c.c", "d.rs"]);
                await group.WriteAsync(licenses, ["MIT", "Apache-2.0", null!, "BSD"], new ReadOnlyMemory<int>([0, 1, 0, 0]));
            }
        }

        var documents = await ReadAsync(_folder["a.parquet"], "content");

        Assert.Equal([1L, 3, 4, 6], documents.Select(one => one.Number));
        Assert.Equal(["Python", ".rs", "Python", ".rs"], documents.Select(one => one.Language));
        Assert.Equal(["MIT", "Apache-2.0"], documents[0].Facts.Licenses);
        Assert.Equal(["BSD"], documents[3].Facts.Licenses);
        Assert.Equal($"{_folder["a.parquet"]}:1 (a/b.py)", documents[0].Name);
    }

    [Fact]
    public async Task Read_ParquetWithOtherColumnsOfThoseNames_SaysNothing()
    {
        var (text, lang, license) = (new DataField<string>("text"), new DataField<int>("lang"), new DataField<double>("license"));
        await using (var stream = File.Create(_folder["a.parquet"]))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, lang, license), stream);
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(text, ["one"]);
            await group.WriteAsync<int>(lang, new[] { 1 }.AsMemory());
            await group.WriteAsync<double>(license, new[] { 1.0 }.AsMemory());
        }

        var document = Assert.Single(await ReadAsync(_folder["a.parquet"], "text"));

        Assert.Equal((SourceDocument.NoLanguage, 0, true), (document.Language, document.Facts.Licenses.Count, document.MayBePython));
    }

    [Theory]
    [InlineData("{\"text\":\"a\",\"lang\":{\"x\":[1]},\"license\":[1,{\"y\":2},\"MIT\",null],\"path\":[\"p\"]}", "unknown", "MIT")]
    [InlineData("{\"lang\":\"  Rust \",\"license\":\"\",\"text\":\"a\"}", "Rust", "")]
    [InlineData("{\"text\":\"a\",\"lang\":\"\\ud800\",\"licenses\":[\"\\udc00\",\"BSD\"]}", "unknown", "BSD")]
    [InlineData("{\"text\":\"a\",\"path\":\"/src/x.PY\"}", ".PY", "")]
    [InlineData("{\"text\":\"a\",\"path\":\"Makefile\"}", "unknown", "")]
    public async Task Read_JsonLines_TakesWhatIsOfTheRightKind(string line, string language, string licenses)
    {
        var document = Assert.Single(await ReadAsync(_folder.Write("a.jsonl", line), "text"));

        Assert.Equal((language, licenses), (document.Language, string.Join(' ', document.Facts.Licenses)));
    }

    [Fact]
    public async Task Read_TheFieldOfTheTextItself_IsNoFact()
    {
        var document = Assert.Single(await ReadAsync(_folder.Write("a.jsonl", "{\"path\":\"some text\"}"), "path"));

        Assert.Null(document.Facts.Path);
    }

    [Theory]
    [InlineData("a.py", ".py", true)]
    [InlineData("a.txt", ".txt", false)]
    [InlineData("Makefile", "unknown", false)]
    public async Task Read_ATextFile_IsOfTheLanguageOfItsName(string name, string language, bool mayBePython)
    {
        var document = Assert.Single(await ReadAsync(_folder.Write(name, "x"), "text"));

        Assert.Equal((language, mayBePython, _folder[name]), (document.Language, document.MayBePython, document.Name));
    }

    private static async Task<List<SourceDocument>> ReadAsync(string path, string field)
    {
        var documents = new List<SourceDocument>();
        await foreach (var document in DocumentReader.ReadAsync(path, field, CancellationToken.None))
        {
            documents.Add(document);
        }

        return documents;
    }
}

using Phi.Data.Quality.Classifier;
using Phi.Data.Sources;

namespace Phi.Data.Tests;

/// <summary>Files of labels, and the samples that begin them.</summary>
public sealed class LabelSheetTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Add_ASample_IsTheSameFromTheSameSeedWhateverTheOrder()
    {
        _folder.Write("in/a.jsonl", Lines(Enumerable.Range(0, 300)));
        _folder.Write("again/z.jsonl", Lines(Enumerable.Range(0, 300).Reverse()));

        var (first, again, other) = (await SampleAsync("in", 1), await SampleAsync("again", 1), await SampleAsync("in", 2));

        Assert.Equal(20, first.Count);
        Assert.Equal(first.Select(one => one.Id), again.Select(one => one.Id));
        Assert.NotEqual(first.Select(one => one.Id), other.Select(one => one.Id));
        Assert.All(first, one => Assert.StartsWith(_folder["in/a.jsonl:"], one.Name, StringComparison.Ordinal));

        async Task<IReadOnlyList<LabelledDocument>> SampleAsync(string source, long seed)
        {
            var sheet = new LabelSheet();
            await new LabelSampler(seed).AddAsync(sheet, DataSources.Resolve([_folder[source]]), "text", 20, CancellationToken.None);
            return sheet.Documents;
        }
    }

    [Fact]
    public async Task Add_ToASheetThatHasSome_AddsOthers()
    {
        _folder.Write("in/a.jsonl", Lines(Enumerable.Range(0, 10)));
        _folder.Write("in/b.bin", [0, 1, 2]);
        var (sheet, sampler) = (new LabelSheet(), new LabelSampler(1));

        Assert.Equal(6, await sampler.AddAsync(sheet, DataSources.Resolve([_folder["in"]]), "text", 6, CancellationToken.None));
        Assert.Equal(4, await new LabelSampler(1).AddAsync(sheet, DataSources.Resolve([_folder["in"]]), "text", 6, CancellationToken.None));
        Assert.Equal((10, 1), (sheet.Documents.DistinctBy(one => one.Text).Count(), sampler.NoText));
    }

    [Fact]
    public void Save_AndRead_IsTheSame()
    {
        _folder.Write("in.jsonl", "\uFEFF{\"text\":\"a <b> é\\n\",\"label\":\"good\",\"name\":\"x\"}\n\n{\"text\":\"c\",\"label\":null}\n{\"text\":\"d\",\"label\":1}\r\n{\"text\":\"e\",\"label\":false}\n{\"text\":\"f\",\"label\":\" Skip \"}\n{\"text\":\"c\"}\n");

        var sheet = LabelSheet.Read(_folder["in.jsonl"]);
        sheet.Save(_folder["new/out.jsonl"]);

        Assert.Equal(["good", null, "good", "bad", "skip"], sheet.Documents.Select(one => one.Label));
        Assert.Equal(sheet.Documents, LabelSheet.Read(_folder["new/out.jsonl"]).Documents);
        Assert.Contains("a <b> é", File.ReadAllText(_folder["new/out.jsonl"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\":\"a\",\"label\":\"good\"}\n{\"text\":\"b\"}\n{\"text\":\"a\",\"label\":\"bad\"}\n", "line 1 calls a text good, and line 3 calls the same text bad. Decide")]
    [InlineData("{\"text\":\"a\",\"label\":\"maybe\"}\n", "line 1 has the label \"maybe\"; a label is good, bad or skip")]
    [InlineData("{\"text\":\"a\",\"label\":2}\n", "line 1 has the label 2")]
    [InlineData("{\"label\":\"good\"}\n", "line 1 has no text in the field 'text'")]
    [InlineData("{\"text\":\"\",\"label\":\"good\"}\n", "line 1 has no text in the field 'text'")]
    [InlineData("{\"text\":\"a\"}\nno json\n", "line 2 is no JSON object")]
    [InlineData("{\"text\":\"a\"} {}\n", "line 1 is no JSON object")]
    [InlineData("[1]\n", "line 1 is no JSON object")]
    [InlineData("{\"text\":\"\\ud800\"}\n", "line 1 is no JSON object")]
    public void Read_AWrongLine_IsNamed(string lines, string expected)
    {
        _folder.Write("labels.jsonl", lines);

        Assert.Contains($"{_folder["labels.jsonl"]} {expected}", Assert.Throws<DataException>(() => LabelSheet.Read(_folder["labels.jsonl"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Import_LabelsOfTheSameTexts_AreTakenOver()
    {
        _folder.Write("mine.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\",\"label\":\"bad\"}\n{\"text\":\"c\"}\n");
        _folder.Write("theirs.jsonl", "{\"text\":\"a\",\"label\":\"good\"}\n{\"text\":\"b\",\"label\":\"bad\"}\n{\"text\":\"c\"}\n{\"text\":\"d\",\"label\":\"bad\"}\n");
        _folder.Write("others.jsonl", "{\"text\":\"b\",\"label\":\"good\"}\n");
        var sheet = LabelSheet.Read(_folder["mine.jsonl"]);

        Assert.Equal(2, sheet.Import(LabelSheet.Read(_folder["theirs.jsonl"]), "theirs.jsonl"));
        Assert.Equal(["good", "bad", null, "bad"], sheet.Documents.Select(one => one.Label));
        Assert.Contains("calls others.jsonl:1", Assert.Throws<DataException>(() => sheet.Import(LabelSheet.Read(_folder["others.jsonl"]), "others.jsonl")).Message.Replace(_folder["others.jsonl"], "others.jsonl", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static string Lines(IEnumerable<int> numbers) => string.Concat(numbers.Select(i => $"{{\"text\":\"number {i}\"}}\n"));
}

using System.Text;
using Phi.Data.Quality.Classifier;
using Phi.Data.Sources;

namespace Phi.Data.Tests;

/// <summary>A classifier trained on files of this machine's Python library, labelled by their paths: modules are good, tests and tables are bad.</summary>
public sealed class QualityTrainerTests(QualityTrainerTests.Library library) : IClassFixture<QualityTrainerTests.Library>
{
    [Fact]
    public void Train_OnHalfOfTheLibrary_JudgesTheOtherHalfWellAboveTheBaseline()
    {
        var (model, training) = Train(library.Half);
        var parsed = QualityModel.Parse("model", model);

        var judged = library.OtherHalf.Select(one => (one.IsGood!.Value, parsed.Score(Encoding.UTF8.GetBytes(one.Text)))).ToList();
        var (seen, baseline) = (Confusion.Of(judged, 0.5), (double)judged.Count(one => one.Value) / judged.Count);
        TestContext.Current.SendDiagnosticMessage($"{training.Good} good and {training.Bad} bad labels; held out: {seen} precision {seen.Precision:0.000} recall {seen.Recall:0.000} baseline {baseline:0.000}; {training.Measured}");

        Assert.InRange(baseline, 0.5, 0.85);
        Assert.InRange(seen.Precision, baseline + 0.1, 1);
        Assert.InRange(seen.Recall, 0.92, 1);
        Assert.InRange(seen.Accuracy, baseline + 0.1, 1);
    }

    [Fact]
    public void Train_OnAFewLabels_CrossValidatesThem()
    {
        var few = library.Half.GroupBy(one => one.IsGood).SelectMany(same => same.Take(25)).ToList();

        var (_, training) = Train(few);

        Assert.Equal(("5-fold cross-validation", 50), (training.Method, training.Measured.TruePositives + training.Measured.FalsePositives + training.Measured.FalseNegatives + training.Measured.TrueNegatives));
        Assert.InRange(training.Measured.F1, 0.8, 1);
        Assert.Equal((0.5, 1, 0.5), (training.Baseline.Precision, training.Baseline.Recall, training.Baseline.Accuracy));
    }

    [Fact]
    public void Train_TheSameLabelsInAnyOrder_GivesTheSameBytes()
    {
        var few = library.Half.GroupBy(one => one.IsGood).SelectMany(same => same.Take(12)).ToList();

        var (model, _) = Train(few);

        Assert.Equal(model, Train([.. few.AsEnumerable().Reverse()]).Model);
        Assert.NotEqual(model, Train([.. few.Skip(1)]).Model);
        Assert.InRange(model.Length, 1, 1_000_000);
    }

    [Theory]
    [InlineData(20, 0, "has 20 good and 0 bad labels; all are good, and a model needs examples of both")]
    [InlineData(3, 20, "has 3 good and 20 bad labels; a model needs at least 10 of each. Label more good documents")]
    [InlineData(0, 0, "has 0 good and 0 bad labels")]
    public void Train_OnTooFewLabels_SaysHowManyThereAre(int good, int bad, string expected)
    {
        var labels = Enumerable.Range(0, good + bad).Select(i => new LabelledDocument($"{i}", "a", i < good ? "good" : "bad", $"text {i}")).Append(new LabelledDocument("skip", "a", "skip", "skipped")).ToList();

        Assert.Contains($"labels.jsonl {expected}", Assert.Throws<DataException>(() => Train(labels)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.6)]
    [InlineData(double.NaN)]
    public void Train_WithAWrongHeldOutFraction_NamesIt(double fraction) =>
        Assert.Contains("the held-out fraction of the labels is", Assert.Throws<DataException>(() => QualityTrainer.Train(library.Half, "labels.jsonl", 1, fraction, CancellationToken.None)).Message, StringComparison.Ordinal);

    [Fact]
    public void Score_OfHostileDocuments_IsAProbability()
    {
        var model = QualityModel.Parse("model", library.Model);

        foreach (var content in new[] { [0xff], new byte[100_000], Encoding.UTF8.GetBytes(new string('x', 10_000_000)), Encoding.UTF8.GetBytes(new string('(', 100_000)), Encoding.UTF8.GetBytes(new string('\n', 100_000)), "\"\"\""u8.ToArray() })
        {
            Assert.InRange(model.Score(content), 0, 1);
        }
    }

    [Fact]
    public void Score_LooksAtTheExcerptAlone()
    {
        var model = QualityModel.Parse("model", library.Model);
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("def é(x):\n    return x\n", 4000)));

        Assert.Equal(model.Score(Excerpt.Of(text)), model.Score(text));
        Assert.InRange(Excerpt.Of(text).Length, Excerpt.MostBytes - 3, Excerpt.MostBytes);
        Assert.True(System.Text.Unicode.Utf8.IsValid(Excerpt.Of(text)));
    }

    public static TheoryData<string, string, string> Damages => new()
    {
        { "\"phi-data-filter\"", "\"other\"", "it is of another format" },
        { "\"version\": 1", "\"version\": 9", "it is of version 9, and this version of the program reads 1" },
        { "\"weights\": \"", "\"weights\": \"AAAA", "bytes of weights" },
        { "\"weightsSha256\": \"", "\"weightsSha256\": \"0", "another SHA-256" },
        { "\"name\": \"comments\"", "\"name\": \"other\"", "terms of style" },
        { "\"bias\": ", "\"bias\": 1e300, \"was\": ", "a weight is no number, or a huge one" },
        { "\"deviation\": ", "\"deviation\": -1, \"was\": ", "a weight is no number, or a huge one" },
        { "{", "[", "is no model of phi data train-filter" },
        { "\"style\": [", "\"style\": [null,", "terms of style" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Read_AFileThatIsNoModel_SaysWhy(string from, string to, string expected)
    {
        using var folder = new TestFolder();
        var text = Encoding.UTF8.GetString(library.Model);
        Assert.Contains(from, text, StringComparison.Ordinal);
        var place = text.IndexOf(from, StringComparison.Ordinal);
        folder.Write("model.json", text[..place] + to + text[(place + from.Length)..]);

        Assert.Contains(expected, Assert.Throws<DataException>(() => QualityModel.Read(folder["model.json"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AHugeFileAFolderAndNothing_SaysWhy()
    {
        using var folder = new TestFolder();
        folder.Write("model.json", new byte[5 << 20]);

        Assert.Contains("a model at most", Assert.Throws<DataException>(() => QualityModel.Read(folder["model.json"])).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<DataException>(() => QualityModel.Read(folder.Root)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<DataException>(() => QualityModel.Read(folder["none.json"])).Message, StringComparison.Ordinal);
    }

    private static (byte[] Model, ModelTraining Training) Train(IReadOnlyList<LabelledDocument> labels) => QualityTrainer.Train(labels, "labels.jsonl", 1, 0.2, CancellationToken.None);

    /// <summary>Each second file is for training. The whole is read once for all tests.</summary>
    public sealed class Library
    {
        public Library()
        {
            var files = DataSources.Resolve(["/usr/lib/python3.*/**/*.py"]).Where(path => new FileInfo(path).Length is > 300 and < 60_000);
            var all = files.Select(Of).OfType<LabelledDocument>().DistinctBy(one => one.Id).OrderBy(one => one.Id, StringComparer.Ordinal).ToList();
            Half = [.. all.Where((_, i) => i % 2 == 0)];
            OtherHalf = [.. all.Where((_, i) => i % 2 == 1)];
            Model = Train([.. Half.GroupBy(one => one.IsGood).SelectMany(same => same.Take(12))]).Model;
        }

        public IReadOnlyList<LabelledDocument> Half { get; }

        public IReadOnlyList<LabelledDocument> OtherHalf { get; }

        /// <summary>Small, and quick to train.</summary>
        public byte[] Model { get; }

        private static LabelledDocument? Of(string path)
        {
            var isBad = new[] { "/encodings/", "/pydoc_data/", "/tests/", "/test_" }.Any(part => path.Contains(part, StringComparison.Ordinal));
            // What helps the tests is neither.
            return !isBad && path.Contains("/test/", StringComparison.Ordinal) ? null : Excerpt.TextOf(File.ReadAllBytes(path)) is { } text ? new LabelledDocument(LabelledDocument.IdOf(text), path, isBad ? "bad" : "good", text) : null;
        }
    }
}

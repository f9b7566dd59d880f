using System.Globalization;
using Phi.Cli.Corpora;
using Phi.Data.Quality;
using Phi.Data.Quality.Classifier;

namespace Phi.Cli.Output;

/// <summary>Reports on data for people.</summary>
internal static class CorpusText
{
    private const int MostNames = 10;

    /// <summary>What is there; what was left out where there is more to say than the duplicates.</summary>
    public static void Write(CorpusReport report, TextWriter to)
    {
        to.WriteLine($"folder:     {report.Folder}");
        to.WriteLine(Text($"documents:  {report.Documents}, and {report.Duplicates} duplicates left out"));
        to.WriteLine(Text($"training:   {report.Training.Tokens} tokens in {Shards(report.Training)}"));
        to.WriteLine(Text($"held out:   {report.HeldOut.Tokens} tokens in {Shards(report.HeldOut)}"));
        to.WriteLine(Text($"tokenizer:  {report.Tokenizer}, {report.VocabularySize} tokens"));
        foreach (var rule in report.Quality?.LeftOut.Skip(1) ?? [])
        {
            to.WriteLine(Text($"left out:   {rule.Documents} documents ({Share(rule.Share)}) by {rule.Rule} ({rule.Setting})"));
        }
    }

    /// <summary>All of it.</summary>
    public static void WriteWhole(CorpusReport report, TextWriter to)
    {
        Write(report with { Quality = null }, to);
        if (report.Quality is not { } quality)
        {
            return;
        }

        to.WriteLine(Text($"read:       {quality.Read.Documents} documents, {Size(quality.Read.Bytes)}, in {quality.Files} files"));
        to.WriteLine(Text($"kept:       {quality.Kept.Documents} documents, {Size(quality.Kept.Bytes)}, {quality.TrainingTokens + quality.HeldOutTokens} tokens"));
        Table(to, ["LEFT OUT BY", "RULE", "DOCUMENTS", "SHARE", "SIZE", "FOR EXAMPLE"], quality.LeftOut.Select(rule => (string[])[rule.Rule, rule.Setting, Text($"{rule.Documents}"), Share(rule.Share), Size(rule.Bytes), Printable.Line(rule.Examples is [var first, ..] ? first : TextTable.Nothing)]));
        Table(to, ["LANGUAGE", "DOCUMENTS", "SIZE", "TOKENS"], Most(quality.Languages, one => (string[])[Printable.Line(one.Name), Text($"{one.Documents}"), Size(one.Bytes), one.Tokens is { } tokens ? Text($"{tokens}") : TextTable.Nothing]));
        Table(to, ["LICENCE", "DOCUMENTS", "SIZE"], Most(quality.Licenses, one => (string[])[Printable.Line(one.Name), Text($"{one.Documents}"), Size(one.Bytes)]));
    }

    public static void Write(ModelTraining training, TextWriter to)
    {
        to.WriteLine(Text($"labels:     {training.Good} good, {training.Bad} bad"));
        to.WriteLine($"measured:   by {training.Method}");
        Table(to, ["", "PRECISION", "RECALL", "F1", "ACCURACY"], [Row("this model", training.Measured), Row(training.Baseline.TruePositives > 0 ? "all good (baseline)" : "all bad (baseline)", training.Baseline)]);
        Table(to, ["", "CALLED GOOD", "CALLED BAD"],
        [
            ["good", Text($"{training.Measured.TruePositives}"), Text($"{training.Measured.FalseNegatives}")],
            ["bad", Text($"{training.Measured.FalsePositives}"), Text($"{training.Measured.TrueNegatives}")],
        ]);
        Table(to, ["THRESHOLD", "PRECISION", "RECALL", "F1", "ACCURACY"], training.Thresholds.Select(one => Row(Text($"{one.Threshold:0.0}"), one.Measured)));
    }

    public static void Write(ScoreReport report, TextWriter to)
    {
        to.WriteLine(Text($"read:       {report.Read.Documents} documents, {Size(report.Read.Bytes)}"));
        to.WriteLine(Text($"kept:       {report.Kept.Documents} documents, {Size(report.Kept.Bytes)}, of a score of at least {report.Threshold}"));
        to.WriteLine($"left out:   {Share(report.Share)} of the documents");
        Table(to, ["THRESHOLD", "LEFT OUT"], report.Thresholds.Select(one => (string[])[Text($"{one.Threshold:0.0}"), Share(one.Share)]));
        Table(to, ["HIGHEST", "SCORE"], report.Highest.Select(one => (string[])[Printable.Line(one.Name), Text($"{one.Score:0.000}")]));
        Table(to, ["LOWEST", "SCORE"], report.Lowest.Select(one => (string[])[Printable.Line(one.Name), Text($"{one.Score:0.000}")]));
    }

    private static string[] Row(string name, Confusion one) => [name, Text($"{one.Precision:0.000}"), Text($"{one.Recall:0.000}"), Text($"{one.F1:0.000}"), Text($"{one.Accuracy:0.000}")];

    private static void Table(TextWriter to, string[] header, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count > 0)
        {
            to.WriteLine();
            TextTable.Write([header, .. all], to);
        }
    }

    private static List<string[]> Most<T>(IReadOnlyList<T> all, Func<T, string[]> row)
    {
        var rows = all.Take(MostNames).Select(row).ToList();
        return all.Count > MostNames ? [.. rows, [Text($"and {all.Count - MostNames} more"), .. rows[0].Skip(1).Select(_ => "")]] : rows;
    }

    private static string Shards(CorpusSide side) => Text($"{side.Shards} {(side.Shards == 1 ? "shard" : "shards")}");

    private static string Share(double share) => Text($"{share:0.0%}");

    private static string Size(long bytes) => bytes < 100_000 ? Text($"{bytes} B") : Text($"{bytes / 1e6:0.0} MB");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

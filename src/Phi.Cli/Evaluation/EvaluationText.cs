using System.Globalization;
using Phi.Evaluation;
using Phi.Evaluation.Scoring;

namespace Phi.Cli.Evaluation;

/// <summary>An evaluation, for people.</summary>
internal static class EvaluationText
{
    public static void Write(EvaluationReport report, TextWriter to)
    {
        foreach (var result in report.Failing ?? [])
        {
            Write(result, to);
        }

        to.WriteLine($"suite:     {report.Suite}, {report.Source}");
        to.WriteLine($"sha256:    {report.Sha256}");
        to.WriteLine(Format($"problems:  {report.Problems}"));
        to.WriteLine(Format($"samples:   {report.Samples}, of which {report.Passed} passed"));
        foreach (var (k, chance) in report.PassAtK)
        {
            to.WriteLine(Format($"{"pass@" + k + ":",-10} {chance:0.0000}"));
        }

        if (report.Verdicts.Keys.Any(verdict => verdict != nameof(Verdict.Passed)))
        {
            to.WriteLine($"verdicts:  {string.Join(", ", report.Verdicts.Select(pair => Format($"{pair.Key} {pair.Value}")))}");
        }

        if (report.Folder is { } folder)
        {
            to.WriteLine($"results:   {folder}");
        }
    }

    private static void Write(SampleResult result, TextWriter to)
    {
        to.WriteLine(Format($"--- {result.TaskId} sample {result.Sample}: {result.Verdict} after {result.Seconds:0.00} s"));
        to.WriteLine(Indented(result.Message));
        foreach (var (name, text) in new[] { ("completion", result.Completion), ("stdout", result.Output), ("stderr", result.Error) })
        {
            if (text.Length > 0)
            {
                to.WriteLine($"{name}:");
                to.WriteLine(Indented(text));
            }
        }
    }

    /// <summary>A program's own text steers no terminal.</summary>
    private static string Indented(string text) => string.Join('\n', text.TrimEnd('\n').Split('\n').Select(line => "    " + string.Concat(line.Select(one => char.IsControl(one) && one != '\t' ? '\uFFFD' : one))));

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

using System.Numerics;
using Phi.Evaluation.Scoring;

namespace Phi.Evaluation.Tests;

/// <summary>pass@k, and results that outlive the process.</summary>
public sealed class ScoringTests : IDisposable
{
    private static readonly Dictionary<string, string> Question = new() { ["suite"] = "HumanEval", ["seed"] = "1" };
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Estimate_ForAllSmallCounts_IsTheFractionOfSubsets()
    {
        for (var samples = 1; samples <= 30; samples++)
        {
            for (var passed = 0; passed <= samples; passed++)
            {
                for (var k = 1; k <= samples; k++)
                {
                    var exact = 1 - ((double)Choose(samples - passed, k) / (double)Choose(samples, k));
                    Assert.Equal(exact, PassAtK.Estimate(samples, passed, k), 1e-12);
                }
            }
        }
    }

    [Fact]
    public void Estimate_ManySamples_DoesNotOverflow()
    {
        Assert.Equal(0.5, PassAtK.Estimate(10_000, 5_000, 1), 1e-9);
        Assert.InRange(PassAtK.Estimate(10_000, 10, 5_000), 0.998, 1);
    }

    [Theory]
    [InlineData(1, 0, 2)]
    [InlineData(1, 0, 0)]
    [InlineData(1, 2, 1)]
    [InlineData(1, -1, 1)]
    public void Estimate_WhatCannotBe_Throws(int samples, int passed, int k) => Assert.Throws<ArgumentOutOfRangeException>(() => PassAtK.Estimate(samples, passed, k));

    [Fact]
    public void Mean_OfProblems_IsOfTheirEstimates() => Assert.Equal(0.375, PassAtK.Mean([(4, 1), (2, 1)], 1), 1e-12);

    [Fact]
    public void Mean_FewerSamplesThanK_SaysSo() =>
        Assert.Contains("pass@10 needs at least 10 samples of every problem; one has 3", Assert.Throws<EvaluationException>(() => PassAtK.Mean([(10, 1), (3, 1)], 10)).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_AFolderAgain_KnowsWhatWasJudged()
    {
        var result = Result("a é \"quoted\"\n<b>");
        using (var first = ResultFolder.Open(_folder["results"], Question))
        {
            first.Add(result);
        }

        using var again = ResultFolder.Open(_folder["results"], Question);
        Assert.Equal(result, again.Find("A/0", 0, result.Completion));
        Assert.Null(again.Find("A/0", 0, "another completion"));
        Assert.Null(again.Find("A/0", 1, result.Completion));
    }

    [Fact]
    public void Open_AfterAProcessThatWasKilled_GoesOnAfterTheLastWholeLine()
    {
        var path = Path.Combine(_folder["results"], "results.jsonl");
        using (var first = ResultFolder.Open(_folder["results"], Question))
        {
            first.Add(Result("one"));
        }

        File.AppendAllText(path, "{\"task_id\": \"A/0\", \"samp");
        using (var again = ResultFolder.Open(_folder["results"], Question))
        {
            Assert.NotNull(again.Find("A/0", 0, "one"));
            again.Add(Result("two") with { Sample = 1 });
        }

        Assert.Equal(2, File.ReadAllLines(path).Length);
        using var last = ResultFolder.Open(_folder["results"], Question);
        Assert.NotNull(last.Find("A/0", 1, "two"));
    }

    [Fact]
    public void Open_ForAnotherQuestion_IsRefused()
    {
        ResultFolder.Open(_folder["results"], Question).Dispose();

        var refusal = Assert.Throws<EvaluationException>(() => ResultFolder.Open(_folder["results"], new Dictionary<string, string>(Question) { ["seed"] = "2" })).Message;

        Assert.Contains("whose seed is 1; this one's is 2", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AFolderInUse_IsRefused()
    {
        using var first = ResultFolder.Open(_folder["results"], Question);

        Assert.Throws<EvaluationException>(() => ResultFolder.Open(_folder["results"], Question));
    }

    [Fact]
    public void Open_ALineThatIsNoResult_NamesIt()
    {
        ResultFolder.Open(_folder["results"], Question).Dispose();
        File.WriteAllText(Path.Combine(_folder["results"], "results.jsonl"), "{}\n");

        Assert.Contains("results.jsonl line 1 is no result", Assert.Throws<EvaluationException>(() => ResultFolder.Open(_folder["results"], Question)).Message, StringComparison.Ordinal);
    }

    private static SampleResult Result(string completion) => new()
    {
        TaskId = "A/0", Sample = 0, Completion = completion, Verdict = Verdict.Failed, Message = "no", Output = "out", Error = "", Seconds = 0.25,
    };

    private static BigInteger Choose(int from, int count) => count > from ? 0 : Enumerable.Range(0, count).Aggregate(BigInteger.One, (product, i) => product * (from - i) / (i + 1));
}

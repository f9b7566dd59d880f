using Phi.Evaluation.Grading;
using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Tests;

/// <summary>From a suite and completions to a score.</summary>
[Collection(SandboxCollection.Name)]
public sealed class GraderTests(Sandboxes sandboxes) : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(SuiteKind.HumanEval)]
    [InlineData(SuiteKind.Mbpp)]
    public async Task Grade_ReferencesOfASmallSuite_AllPass(SuiteKind kind) => await AllPassAsync(await SmallSuite.LoadAsync(kind));

    [Fact]
    public async Task Grade_WrongCompletions_AllFail()
    {
        var suite = await SmallSuite.LoadAsync(SuiteKind.HumanEval);

        var results = await GradeAsync(suite.Problems.SelectMany(problem => new[] { "", "    pass\n", "    return None\n", "    return 0\n" }.Select((text, at) => new Sample(problem, at, text))), null);

        Assert.Equal(8, results.Count);
        Assert.DoesNotContain(results, one => one.Passed);
    }

    [Fact]
    public async Task Grade_WhatWasJudged_IsNotJudgedAgain()
    {
        var suite = await SmallSuite.LoadAsync(SuiteKind.HumanEval);
        using var folder = ResultFolder.Open(_folder["results"], new Dictionary<string, string>());
        var known = new SampleResult { TaskId = "Small/0", Sample = 0, Completion = "    nonsense", Verdict = Verdict.Passed, Message = "as it was told", Output = "", Error = "", Seconds = 1 };
        folder.Add(known);

        var results = await GradeAsync([new Sample(suite.Problems[0], 0, "    nonsense"), new Sample(suite.Problems[0], 1, "    nonsense")], folder);

        Assert.Equal([known.Message, Verdict.Raised.ToString()], [results[0].Message, results[1].Verdict.ToString()]);
    }

    [Fact]
    public async Task Grade_OfHumanEval_Passes164Of164()
    {
        var suite = await HumanEvalAsync();

        Assert.Equal(164, suite.Problems.Count);
        await AllPassAsync(suite);
    }

    /// <summary>Every tenth problem: nothing, a constant, and what solves the next problem.</summary>
    [Fact]
    public async Task Grade_OfHumanEval_WrongCompletionsFail()
    {
        var suite = await HumanEvalAsync();

        var results = await GradeAsync(
            suite.Problems.Index().Where(one => one.Index % 10 == 0).SelectMany(one =>
                new[] { "    pass\n", "    return None\n", suite.Problems[one.Index + 1].CanonicalCompletion }.Select((text, at) => new Sample(one.Item, at, text))),
            null);

        Assert.Equal(51, results.Count);
        Assert.Empty(results.Where(one => one.Passed).Select(one => $"{one.TaskId} {one.Sample}"));
    }

    private static async Task<Suite> HumanEvalAsync()
    {
        string?[] places = [Environment.GetEnvironmentVariable("PHI_HUMANEVAL"), Path.Combine(Repository.Root, "..", "shared", "data", "HumanEval.jsonl.gz")];
        var path = places.FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, "HumanEval.jsonl.gz is not here: PHI_HUMANEVAL names it");
        using var http = new HttpClient();
        return await new SuiteLoader(http).LoadAsync(SuiteKind.HumanEval, path!, KnownDigests.Of[SuiteKind.HumanEval][0], Cancellation);
    }

    private async Task AllPassAsync(Suite suite)
    {
        var results = await GradeAsync(suite.Problems.Select(one => new Sample(one, 0, one.CanonicalCompletion)), null);

        Assert.Equal(suite.Problems.Count, results.Count);
        Assert.Empty(results.Where(one => !one.Passed).Select(one => $"{one.TaskId}: {one.Verdict} {one.Message}"));
        Assert.Equal(1, EvaluationSummary.Of(suite, results, [1]).PassAtK["1"]);
        Assert.Empty(Sandboxes.Processes());
    }

    private Task<IReadOnlyList<SampleResult>> GradeAsync(IEnumerable<Sample> samples, ResultFolder? folder) =>
        new Grader(sandboxes.Sandbox, 2, folder).GradeAsync(samples.ToAsyncEnumerable(), _ => { }, Cancellation);
}

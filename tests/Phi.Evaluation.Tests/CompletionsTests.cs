using Phi.Evaluation.Grading;
using Phi.Evaluation.Programs;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Tests;

/// <summary>Where completions end, and how they are read.</summary>
public sealed class CompletionsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("    return 1\n\ndef g():\n    pass\n", "    return 1\n")]
    [InlineData("    return 1\nclass A:\n  def f(self): pass", "    return 1")]
    [InlineData("    # a comment\n    return 1\n# done", "    # a comment\n    return 1")]
    [InlineData("    if x:\n        print(x)\nprint(f(1))\nif x:", "    if x:\n        print(x)")]
    [InlineData("    return 1\n", "    return 1\n")]
    [InlineData("\ndef f():", "")]
    [InlineData("", "")]
    public void Truncate_ACompletion_EndsBeforeTheFirstStop(string completion, string kept) =>
        Assert.Equal(kept, Completions.Truncate(completion, ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]));

    [Fact]
    public async Task Program_OfHumanEval_IsPromptAndCompletion()
    {
        var problem = (await SmallSuite.LoadAsync(SuiteKind.HumanEval)).Problems[0];

        Assert.Equal(problem.Prompt + "    return 1", Completions.Program(problem, "    return 1"));
    }

    [Fact]
    public async Task Program_OfMbpp_IsTheCompletion() => Assert.Equal("x = 1", Completions.Program((await SmallSuite.LoadAsync(SuiteKind.Mbpp)).Problems[0], "x = 1"));

    [Fact]
    public async Task Read_TheFieldsForm_NumbersSamplesInTheirOrder()
    {
        var samples = await ReadAsync(SuiteKind.HumanEval, """
            {"task_id": "Small/1", "completion": "a"}
            {"task_id": "Small/0", "completion": "b"}

            {"task_id": "Small/1", "completion": "c", "other": 1}
            """);

        Assert.Equal([("Small/1", 0, "a"), ("Small/0", 0, "b"), ("Small/1", 1, "c")], samples.Select(one => (one.Problem.TaskId, one.Number, one.Completion)));
    }

    [Fact]
    public async Task Read_TheTrainersForm_HasItsNumbers()
    {
        var samples = await ReadAsync(SuiteKind.HumanEval, """{"id": "Small/1", "sample": 7, "completion": "a", "tokens": 1, "finish": "stop"}""");

        Assert.Equal(("Small/1", 7), (samples[0].Problem.TaskId, samples[0].Number));
    }

    [Theory]
    [InlineData("11")]
    [InlineData("\"11\"")]
    [InlineData("\"MBPP/11\"")]
    [InlineData("\"Mbpp/11\"")]
    public async Task Read_MbppsNames_AreAllTaken(string id) =>
        Assert.Equal("MBPP/11", Assert.Single(await ReadAsync(SuiteKind.Mbpp, $"{{\"task_id\": {id}, \"completion\": \"a\"}}")).Problem.TaskId);

    [Theory]
    [InlineData("""{"task_id": "Small/9", "completion": ""}""", "line 1: field task_id is Small/9, which the suite does not have")]
    [InlineData("""{"task_id": "Small/0"}""", "line 1: field completion is missing")]
    [InlineData("""{"completion": ""}""", "line 1: field task_id is missing")]
    [InlineData("""{"task_id": "Small/0", "completion": null}""", "line 1: field completion must be a string")]
    [InlineData("""{"task_id": "Small/0", "sample": -1, "completion": ""}""", "samples are numbered from 0")]
    [InlineData("{\"id\": \"Small/0\", \"sample\": 1, \"completion\": \"\"}\n{\"id\": \"Small/0\", \"sample\": 1, \"completion\": \"\"}", "line 2: field sample is 1, which Small/0 has already")]
    public async Task Read_AWrongLine_SaysWhereAndWhat(string text, string says) =>
        Assert.Contains(says, (await Assert.ThrowsAsync<EvaluationException>(() => ReadAsync(SuiteKind.HumanEval, text))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Read_ProblemsThatAreNotJudged_AreLeftOut()
    {
        var suite = await SmallSuite.LoadAsync(SuiteKind.HumanEval);
        var path = _folder.Write("samples.jsonl", "{\"task_id\": \"Small/1\", \"completion\": \"\"}");

        Assert.Empty(new CompletionFile(path, suite, suite.First(1)).Read());
    }

    private async Task<IReadOnlyList<Sample>> ReadAsync(SuiteKind kind, string text)
    {
        var suite = await SmallSuite.LoadAsync(kind);
        return new CompletionFile(_folder.Write("samples.jsonl", text), suite, suite).Read();
    }
}

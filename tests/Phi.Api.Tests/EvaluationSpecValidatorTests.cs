using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Tests;

/// <summary>Each broken <c>spec.phi.evaluation</c> gives the error that names its field, its value and the remedy, and no other.</summary>
public sealed class EvaluationSpecValidatorTests
{
    public static TheoryData<string, string, string, string> Broken { get; } = BrokenJobs();

    private static TheoryData<string, string, string, string> BrokenJobs()
    {
        var data = new TheoryData<string, string, string, string>();
        Add(e => e.Suites = null, "suites", "0", "name a suite");
        Add(e => e.Suites![0].Name = "codex", "suites[0].name", "codex", "write humaneval");
        Add(e => e.Suites![0].Name = null, "suites[0].name", "missing", "mbpp");
        Add(e => e.Suites![0].File = null, "suites[0].file", "missing", "as the pods see it");
        Add(e => e.Suites![0].File = "HumanEval.jsonl", "suites[0].file", "HumanEval.jsonl", "as the pods see it");
        Add(e => e.Suites![0].File = "ftp://host/HumanEval.jsonl", "suites[0].file", "ftp://host/HumanEval.jsonl", "as the pods see it");
        Add(e => e.Suites![0].File = "/data/\nHumanEval.jsonl", "suites[0].file", "/data/\nHumanEval.jsonl", "as the pods see it");
        Add(e => (e.Suites![0].Name, e.Suites[0].File) = ("mbpp", "https://host/mbpp.jsonl"), "suites[0].sha256", "missing", "sha256sum");
        Add(e => e.Suites![0].Sha256 = "ABCD", "suites[0].sha256", "ABCD", "sha256sum");
        Add(e => e.Suites = [e.Suites![0], new EvaluationSuiteSpec { Name = "humaneval", File = "/other" }], "suites[1].name", "humaneval", "remove one");
        Add(e => e.EveryCheckpoints = 0, "everyCheckpoints", "0", "every checkpoint");
        Add(e => e.Samples = 0, "samples", "0", "at least one");
        Add(e => (e.Samples, e.Temperature) = (10, 0), "temperature", "0", "write 0.8");
        Add(e => e.Temperature = -1, "temperature", "-1", "likeliest");
        Add(e => e.TopP = 0, "topP", "0", "write 1");
        Add(e => e.MaxTokens = 8193, "maxTokens", "8193", "512");
        Add(e => e.K = [10], "k[0]", "10", "raise samples");
        Add(e => e.K = [], "k", "0", "write [1]");
        Add(e => e.K = [1, 1], "k[1]", "1", "remove one");
        Add(e => e.Limit = 0, "limit", "0", "all problems");
        Add(e => e.TimeLimit = "0s", "timeLimit", "0s", "5s");
        Add(e => e.TimeLimit = "; rm -rf /", "timeLimit", "; rm -rf /", "30s");
        Add(e => e.Threads = 0, "threads", "0", "leave it out");
        Add(e => e.WaitAtEnd = "48h", "waitAtEnd", "48h", "30m");
        return data;

        void Add(Action<EvaluationSpec> change, string field, string value, string remedy)
        {
            var job = TrainingJobValidatorTests.Good();
            job.Spec.Phi!.Evaluation = new EvaluationSpec { Suites = [new EvaluationSuiteSpec { Name = "humaneval", File = "/data/HumanEval.jsonl.gz" }] };
            change(job.Spec.Phi.Evaluation);
            data.Add(System.Text.Json.JsonSerializer.Serialize(job, PhiJson.Options), $"spec.phi.evaluation.{field}", value, remedy);
        }
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Validate_OneThingBroken_NamesFieldValueAndRemedy(string json, string field, string value, string remedy) =>
        TrainingJobValidatorTests.AssertOnly(json, field, value, remedy);

    [Fact]
    public void Apply_EvaluationOfSeveralSamples_FillsInWhatTheyNeed()
    {
        var job = TrainingJobValidatorTests.Good();
        job.Spec.Phi!.Evaluation = new EvaluationSpec { Samples = 20, Suites = [new EvaluationSuiteSpec { Name = "mbpp", File = "http://host/mbpp.jsonl", Sha256 = new string('a', 64) }] };

        var evaluation = TrainingJobDefaults.Apply(job).Spec.Phi!.Evaluation!;

        Assert.Empty(TrainingJobValidator.Validate(job));
        Assert.Equal((0.8, 1, "5s", "30m"), (evaluation.Temperature!.Value, evaluation.EveryCheckpoints!.Value, evaluation.TimeLimit, evaluation.WaitAtEnd));
        Assert.Equal([1, 10], evaluation.K!);
        Assert.True(evaluation.MaxTokens < job.Spec.Phi.Model!.SequenceLength.GetValueOrDefault(2048));
    }
}

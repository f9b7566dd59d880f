using System.Globalization;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Agent;

/// <summary>What a batch of events must be for the store to take it. An agent sends what is refused only once; what fails it would send for ever.</summary>
public static class EventBatchValidator
{
    private const int MostRank = 1_000_000;
    private const long MostStep = 1_000_000_000_000_000;
    private const int MostMetrics = 1000;
    private const int MostPoints = 500_000;
    private const int MostName = 253;
    private const int MostMetricName = 200;
    private const int MostUri = 4096;
    private const int MostSuite = 64;
    private const int MostProblems = 100_000;
    private const int MostSamples = 10_000;
    private const int MostScores = 16;
    private const int MostMessage = 2000;

    /// <summary>The first thing that is wrong; null: nothing is.</summary>
    public static ValidationError? Validate(EventBatch batch) =>
        Name("namespace", batch.Namespace, MostName) ?? Name("job", batch.Job, MostName) ?? Name("jobUid", batch.JobUid, MostName)
        ?? Between("attempt", batch.Attempt, 0, int.MaxValue)
        ?? Each("steps", batch.Steps, Step) ?? Points(batch.Steps)
        ?? Each("checkpoints", batch.Checkpoints, Checkpoint)
        ?? Each("missed", batch.Missed, (field, missed) => Between($"{field}.step", missed.Step, 0, MostStep) ?? Time($"{field}.time", missed.Time) ?? Number($"{field}.stallSeconds", missed.StallSeconds))
        ?? Each("skipped", batch.Skipped, (field, skipped) => Between($"{field}.step", skipped.Step, 0, MostStep) ?? Time($"{field}.time", skipped.Time))
        ?? Each("marks", batch.Marks, (field, mark) => Name($"{field}.name", mark.Name, MostMetricName) ?? Time($"{field}.time", mark.Time))
        ?? Each("problems", batch.Problems, Problem)
        ?? Each("evaluations", batch.Evaluations, Evaluation);

    private static ValidationError? Step(string field, StepEvent step) =>
        Between($"{field}.rank", step.Rank, 0, MostRank) ?? Between($"{field}.step", step.Step, 0, MostStep) ?? Time($"{field}.time", step.Time)
        ?? Between($"the number of {field}.metrics", step.Metrics.Count, 0, MostMetrics)
        ?? step.Metrics.Keys.Select(name => Name($"{field}.metrics", name, MostMetricName)).FirstOrDefault(problem => problem is not null);

    private static ValidationError? Checkpoint(string field, CheckpointEvent checkpoint) =>
        Between($"{field}.step", checkpoint.Step, 0, MostStep) ?? Time($"{field}.time", checkpoint.Time) ?? Name($"{field}.uri", checkpoint.Uri, MostUri)
        ?? Between($"{field}.bytes", checkpoint.Bytes, 0, long.MaxValue) ?? Number($"{field}.seconds", checkpoint.Seconds) ?? Number($"{field}.stallSeconds", checkpoint.StallSeconds);

    private static ValidationError? Problem(string field, EvaluatedProblem problem) =>
        Between($"{field}.step", problem.Step, 0, MostStep) ?? Suite($"{field}.suite", problem.Suite) ?? Between($"{field}.number", problem.Number, 0, MostProblems)
        ?? Name($"{field}.name", problem.Name, MostMetricName) ?? Length($"{field}.prompt", problem.Prompt, EvaluatedProblem.MostPrompt)
        ?? Between($"{field}.samples", problem.Samples, 0, MostSamples) ?? Between($"{field}.passed", problem.Passed, 0, problem.Samples)
        ?? Between($"the number of {field}.shown", problem.Shown.Count, 0, EvaluatedProblem.MostSamples) ?? Each($"{field}.shown", problem.Shown, Sample);

    private static ValidationError? Sample(string field, EvaluatedSample sample) =>
        Between($"{field}.number", sample.Number, 0, MostSamples) ?? Name($"{field}.verdict", sample.Verdict, MostSuite)
        ?? Length($"{field}.completion", sample.Completion, EvaluatedProblem.MostCompletion) ?? Length($"{field}.output", sample.Output, EvaluatedProblem.MostOutput)
        ?? Between($"{field}.completionCut", sample.CompletionCut, 0, long.MaxValue) ?? Between($"{field}.outputCut", sample.OutputCut, 0, long.MaxValue);

    private static ValidationError? Evaluation(string field, EvaluationEvent evaluation) =>
        Between($"{field}.step", evaluation.Step, 0, MostStep) ?? Suite($"{field}.suite", evaluation.Suite) ?? Time($"{field}.time", evaluation.Time) ?? Time($"{field}.committed", evaluation.Committed)
        ?? (evaluation.Reason is null ? null : Name($"{field}.reason", evaluation.Reason, MostSuite)) ?? Length($"{field}.message", evaluation.Message ?? "", MostMessage)
        ?? Between($"{field}.problems", evaluation.Problems, 0, MostProblems) ?? Between($"{field}.samples", evaluation.Samples, 0, MostSamples)
        ?? Between($"{field}.passed", evaluation.Passed, 0, (long)evaluation.Problems * evaluation.Samples)
        ?? Between($"the number of {field}.passAt", evaluation.PassAt.Count, 0, MostScores)
        ?? evaluation.PassAt.Select(score => Between($"{field}.passAt", score.Key, 1, MostSamples) ?? Share($"{field}.passAt[{score.Key}]", score.Value)).FirstOrDefault(problem => problem is not null)
        ?? Number($"{field}.temperature", evaluation.Temperature) ?? Number($"{field}.topP", evaluation.TopP) ?? Between($"{field}.maxTokens", evaluation.MaxTokens, 0, int.MaxValue)
        ?? (evaluation.Sha256 is null ? null : Name($"{field}.sha256", evaluation.Sha256, MostSuite)) ?? Number($"{field}.seconds", evaluation.Seconds);

    /// <summary>It becomes part of a metric's name.</summary>
    private static ValidationError? Suite(string field, string? suite) => suite is { Length: > 0 and <= MostSuite } && suite.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_')
        ? null
        : new ValidationError(field, $"'{Shorten(suite ?? "")}'", string.Create(CultureInfo.InvariantCulture, $"must have 1 to {MostSuite} lower-case letters, digits, '-' and '_'"), "send it as spec.phi.evaluation.suites has it");

    private static ValidationError? Length(string field, string? text, int most) => text is not null && text.Length <= most
        ? null
        : Wrong(field, $"{text?.Length} characters", $"must have at most {most} characters", "send its beginning");

    private static ValidationError? Share(string field, double value) => value is >= 0 and <= 1 ? null : Wrong(field, $"{value}", $"must be from 0 to 1", "send what was counted");

    private static ValidationError? Points(IReadOnlyList<StepEvent> steps) => Between("the number of values", steps.Sum(step => (long)step.Metrics.Count), 0, MostPoints);

    private static ValidationError? Each<T>(string field, IReadOnlyList<T> values, Func<string, T, ValidationError?> rule)
        where T : class
    {
        for (var i = 0; i < values.Count; i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]");
            if (values[i] is not { } value)
            {
                return new ValidationError(at, "null", "must be an object", "leave it out");
            }

            if (rule(at, value) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>A name; null: it was not given.</summary>
    private static ValidationError? Name(string field, string? value, int most) => value is { Length: > 0 } && value.Length <= most && !value.Any(letter => char.IsControl(letter) || char.IsSurrogate(letter))
        ? null
        : new ValidationError(field, $"'{Shorten(value ?? "")}'", string.Create(CultureInfo.InvariantCulture, $"must have 1 to {most} characters, none of them a control character"), "give it another name");

    private static ValidationError? Between(string field, long value, long least, long most) => value >= least && value <= most
        ? null
        : Wrong(field, $"{value}", $"must be from {least} to {most}", "send what was counted");

    private static ValidationError? Time(string field, DateTimeOffset value) => value.Year is >= 1970 and < 9999
        ? null
        : Wrong(field, $"{value:O}", $"must be from 1970 to 9998", "set the machine's clock");

    private static ValidationError? Number(string field, double value) => double.IsFinite(value) && value >= 0
        ? null
        : Wrong(field, $"{value}", $"must be a number from 0", "send what was measured");

    private static ValidationError Wrong(string field, FormattableString value, FormattableString rule, string remedy) =>
        new(field, value.ToString(CultureInfo.InvariantCulture), rule.ToString(CultureInfo.InvariantCulture), remedy);

    private static string Shorten(string text) => new([.. (text.Length <= 40 ? text : text[..40] + "…").Select(letter => char.IsControl(letter) || char.IsSurrogate(letter) ? '?' : letter)]);
}

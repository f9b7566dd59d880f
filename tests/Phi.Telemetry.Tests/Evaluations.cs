using Phi.Api.Agent;

namespace Phi.Telemetry.Tests;

/// <summary>Makes batches of evaluations as agents send them.</summary>
internal static class Evaluations
{
    public const string Suite = "humaneval";

    /// <param name="passed">Of each problem's only sample.</param>
    public static EventBatch Of(string run, int attempt, long step, IReadOnlyList<bool> passed) => new()
    {
        Namespace = "default",
        Job = "job",
        JobUid = run,
        Attempt = attempt,
        Problems =
        [
            .. passed.Select((isGood, number) => new EvaluatedProblem
            {
                Step = step, Suite = Suite, Number = number, Name = $"HumanEval/{number}", Prompt = $"def f{number}():\n", Samples = 1, Passed = isGood ? 1 : 0,
                Shown = [new EvaluatedSample(0, isGood ? EvaluatedSample.Passed : "TimedOut", $"    return {step}", "")],
            }),
        ],
        Evaluations =
        [
            new EvaluationEvent
            {
                Step = step, Suite = Suite, Time = At(step).AddSeconds(30), Committed = At(step), Problems = passed.Count, Samples = 1, Passed = passed.Count(isGood => isGood),
                PassAt = new Dictionary<int, double> { [1] = passed.Count(isGood => isGood) / (double)passed.Count }, TopP = 0.95, MaxTokens = 512, Sha256 = new string('a', 64), Seconds = 30,
            },
        ],
    };

    public static EventBatch NotEvaluated(string run, int attempt, long step, string reason, string message) => new()
    {
        Namespace = "default",
        Job = "job",
        JobUid = run,
        Attempt = attempt,
        Evaluations = [new EvaluationEvent { Step = step, Suite = Suite, Time = At(step), Committed = At(step), Reason = reason, Message = message }],
    };

    private static DateTimeOffset At(long step) => DateTimeOffset.UnixEpoch.AddSeconds(step);
}

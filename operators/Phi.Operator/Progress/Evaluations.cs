using System.Globalization;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Telemetry.Evaluation;

namespace Phi.Operator.Progress;

/// <summary>What came of a run's newest evaluated checkpoint, by suite. Those before it are in the store alone.</summary>
internal sealed class Evaluations
{
    private readonly List<EvaluationRecord> _newest = [];

    /// <summary>Null: none has been evaluated.</summary>
    public long? Step => _newest.Count == 0 ? null : _newest[0].Step;

    /// <summary>What the store has of the newest one.</summary>
    public void Restore(IEnumerable<EvaluationRecord> newest) => _newest.AddRange(newest);

    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, EvaluationEvent evaluation)
    {
        if (evaluation.Step < Step)
        {
            return false;
        }

        var known = _newest.FindIndex(one => one.Step == evaluation.Step && one.Suite == evaluation.Suite);
        if (known >= 0 && !Replaces(attempt, evaluation, _newest[known]))
        {
            return false;
        }

        if (evaluation.Step > Step)
        {
            _newest.Clear();
        }
        else if (known >= 0)
        {
            _newest.RemoveAt(known);
        }

        _newest.Add(Record(attempt, evaluation));
        return true;
    }

    /// <summary>Null: there is nothing to say.</summary>
    public EvaluationStatus? Describe()
    {
        if (_newest.Count == 0)
        {
            return null;
        }

        List<SuiteScoreStatus> scores =
        [
            .. _newest.Where(one => one.Reason is null).OrderBy(one => one.Suite, StringComparer.Ordinal)
                .Select(one => new SuiteScoreStatus { Suite = one.Suite, Problems = one.Problems, Samples = one.Samples, PassAt1 = PassAt1(one.PassAt) }),
        ];
        var missing = _newest.Where(one => one.Reason is not null).OrderBy(one => one.Suite, StringComparer.Ordinal).Select(one => $"{one.Suite}: {one.Message}").Distinct().ToList();
        return new EvaluationStatus
        {
            Step = Step,
            Time = _newest.Max(one => one.Time),
            PassAt1 = scores.FirstOrDefault()?.PassAt1,
            Scores = scores.Count == 0 ? null : scores,
            NotEvaluated = missing.Count == 0 ? null : string.Join("; ", missing),
        };
    }

    /// <summary>A sentence for an event.</summary>
    public static string Tell(EvaluationEvent evaluation) => evaluation.Reason is null
        ? string.Create(CultureInfo.InvariantCulture, $"the checkpoint of step {evaluation.Step}: {evaluation.Suite} {Scores(evaluation)}, {evaluation.Passed} of {evaluation.Problems * (long)evaluation.Samples} programs passed")
        : string.Create(CultureInfo.InvariantCulture, $"the checkpoint of step {evaluation.Step} is not evaluated with {evaluation.Suite}, and is not tried again: {evaluation.Message}");

    private static string Scores(EvaluationEvent evaluation) => string.Join(", ", evaluation.PassAt.OrderBy(score => score.Key).Select(score => string.Create(CultureInfo.InvariantCulture, $"pass@{score.Key} {score.Value:0.000}")));

    /// <summary>As the store decides it; the same once more is nothing new.</summary>
    private static bool Replaces(int attempt, EvaluationEvent evaluation, EvaluationRecord known) =>
        attempt >= known.Attempt && (evaluation.Reason is null || known.Reason is not null) && (attempt, evaluation.Time.ToUnixTimeMilliseconds()) != (known.Attempt, known.Time.ToUnixTimeMilliseconds());

    private static double? PassAt1(IReadOnlyDictionary<int, double> scores) => scores.TryGetValue(1, out var score) ? Math.Round(score, 4) : null;

    private static EvaluationRecord Record(int attempt, EvaluationEvent evaluation) =>
        new(evaluation.Step, evaluation.Suite, attempt, evaluation.Time, evaluation.Reason, evaluation.Message ?? "")
        {
            Problems = evaluation.Problems,
            Samples = evaluation.Samples,
            Passed = evaluation.Passed,
            PassAt = evaluation.PassAt,
            Temperature = evaluation.Temperature,
            TopP = evaluation.TopP,
            MaxTokens = evaluation.MaxTokens,
            Sha256 = evaluation.Sha256,
            Seconds = evaluation.Seconds,
        };
}

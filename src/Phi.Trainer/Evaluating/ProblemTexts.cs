using Phi.Api.Agent;
using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;

namespace Phi.Trainer.Evaluating;

/// <summary>Gathers verdicts, which come in any order and from several threads, until all of a problem are there.</summary>
/// <param name="samples">Of each problem.</param>
internal sealed class ProblemTexts(long step, string suite, Suite wanted, int samples)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Number, Problem Problem)> _problems = wanted.Problems.Index().ToDictionary(one => one.Item.TaskId, one => (one.Index, one.Item));
    private readonly Dictionary<string, List<SampleResult>> _open = [];

    /// <returns>The problem, if this was its last verdict.</returns>
    public EvaluatedProblem? Add(SampleResult result)
    {
        List<SampleResult> all;
        lock (_lock)
        {
            if (!_open.TryGetValue(result.TaskId, out all!))
            {
                _open[result.TaskId] = all = [];
            }

            all.Add(result);
            if (all.Count < samples)
            {
                return null;
            }

            _open.Remove(result.TaskId);
        }

        var (number, problem) = _problems[result.TaskId];
        return new EvaluatedProblem
        {
            Step = step,
            Suite = suite,
            Number = number,
            Name = problem.TaskId,
            Prompt = Cut(problem.Prompt, EvaluatedProblem.MostPrompt),
            Samples = samples,
            Passed = all.Count(one => one.Passed),
            Shown = [.. all.OrderBy(one => one.Sample).Take(EvaluatedProblem.MostSamples).Select(Text)],
        };
    }

    private static EvaluatedSample Text(SampleResult result)
    {
        var output = string.Join('\n', new[] { result.Message, result.Output, result.Error }.Select(part => part.TrimEnd()).Where(part => part.Length > 0));
        var (completion, shown) = (Cut(result.Completion, EvaluatedProblem.MostCompletion), Cut(output, EvaluatedProblem.MostOutput));
        return new EvaluatedSample(result.Sample, result.Verdict.ToString(), completion, shown) { CompletionCut = result.Completion.Length - completion.Length, OutputCut = output.Length - shown.Length };
    }

    /// <summary>Not within a surrogate pair.</summary>
    private static string Cut(string text, int most) => text.Length <= most ? text : char.IsHighSurrogate(text[most - 1]) ? text[..(most - 1)] : text[..most];
}

using Phi.Evaluation.Programs;
using Phi.Evaluation.Sandbox;
using Phi.Evaluation.Scoring;

namespace Phi.Evaluation.Grading;

/// <summary>Judges completions, several at a time.</summary>
/// <param name="workers">Programs at a time, at least 1.</param>
/// <param name="folder">Has the verdicts that are known, and takes the new ones; null: none are kept.</param>
public sealed class Grader(PythonSandbox sandbox, int workers, ResultFolder? folder)
{
    /// <param name="graded">Called for each, from several threads at once.</param>
    /// <exception cref="OperationCanceledException">No program runs any more.</exception>
    public async Task<IReadOnlyList<SampleResult>> GradeAsync(IAsyncEnumerable<Sample> samples, Action<SampleResult> graded, CancellationToken cancellationToken)
    {
        var (results, gate) = (new Dictionary<(string, int), SampleResult>(), new Lock());
        await Parallel.ForEachAsync(samples, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken }, async (sample, token) =>
        {
            var result = folder?.Find(sample.Problem.TaskId, sample.Number, sample.Completion);
            if (result is null)
            {
                result = await JudgeAsync(sample, token);
                folder?.Add(result);
            }

            lock (gate)
            {
                results[(result.TaskId, result.Sample)] = result;
            }

            graded(result);
        });
        return [.. results.Values.OrderBy(one => one.Sample)];
    }

    public async Task<SampleResult> JudgeAsync(Sample sample, CancellationToken cancellationToken)
    {
        var problem = sample.Problem;
        SandboxResult judged;
        try
        {
            judged = await sandbox.RunAsync(
                new SandboxProgram
                {
                    Program = Completions.Program(problem, sample.Completion),
                    Reference = Completions.Program(problem, problem.CanonicalCompletion),
                    EntryPoint = problem.EntryPoint,
                    Tests = problem.Tests,
                },
                cancellationToken);
        }
        catch (EvaluationException e)
        {
            throw new EvaluationException($"{problem.TaskId}: {e.Message} Get the suite's published file.");
        }

        return new SampleResult
        {
            TaskId = problem.TaskId,
            Sample = sample.Number,
            Completion = sample.Completion,
            Verdict = judged.Verdict,
            Message = judged.Message,
            Output = judged.Output,
            Error = judged.Error,
            Seconds = judged.Seconds,
        };
    }
}

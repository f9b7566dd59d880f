using System.Globalization;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Evaluation;
using Phi.Evaluation.Generation;
using Phi.Evaluation.Grading;
using Phi.Evaluation.Sandbox;
using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Evaluating;

/// <summary>One checkpoint and one suite: what the model writes is judged while it writes on.</summary>
/// <param name="emit">Hears of each problem.</param>
internal sealed class SuiteEvaluation(EvaluateRequest request, EvaluationSuiteSpec spec, TimeProvider time, Action<RankEvent> emit)
{
    private const int BatchSize = 16;
    private const int MostMessage = 1000;
    private readonly EvaluationSpec _evaluation = request.Evaluation;
    private readonly long _started = time.GetTimestamp();

    /// <summary>Whatever comes of it; only cancelling throws.</summary>
    public async Task<EvaluationEvent> RunAsync(HttpClient http, PythonSandbox sandbox, CancellationToken ct)
    {
        try
        {
            var suite = await new SuiteLoader(http).LoadAsync(spec.Name == "mbpp" ? SuiteKind.Mbpp : SuiteKind.HumanEval, spec.File!, spec.Sha256, ct);
            var wanted = _evaluation.Limit is { } limit ? suite.First(Math.Min(limit, suite.Problems.Count)) : suite;
            return await EvaluateAsync(suite, wanted, sandbox, ct);
        }
        catch (EvaluationException e)
        {
            return Not(EvaluationEvent.SuiteUnusable, e.Message);
        }
        catch (SandboxException e)
        {
            return Not(EvaluationEvent.SandboxRefused, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException)
        {
            return Not(EvaluationEvent.Failed, e.Message);
        }
    }

    public EvaluationEvent Not(string reason, string message) => new()
    {
        Step = request.Step,
        Suite = spec.Name!,
        Time = time.GetUtcNow(),
        Committed = request.Committed,
        Reason = reason,
        Message = message.Length > MostMessage ? message[..MostMessage] : message,
    };

    private async Task<EvaluationEvent> EvaluateAsync(Suite suite, Suite wanted, PythonSandbox sandbox, CancellationToken ct)
    {
        var folder = Path.Combine(request.Folder, spec.Name!);
        Directory.CreateDirectory(folder);
        var samples = _evaluation.Samples!.Value;
        var process = new CompletionProcess();
        var generated = new GeneratedCompletions(suite, wanted, Generation(), folder, process.RunAsync);
        var problems = new ProblemTexts(request.Step, spec.Name!, wanted, samples);
        var results = await new Grader(sandbox, _evaluation.Threads!.Value, null).GradeAsync(
            generated.ReadAsync(ct),
            result =>
            {
                if (problems.Add(result) is { } problem)
                {
                    emit(new RankEvent.Graded(problem));
                }
            },
            ct);
        if (generated.ExitCode != 0 || results.Count < wanted.Problems.Count * samples)
        {
            return Not(EvaluationEvent.GenerationFailed, $"the model wrote {results.Count} of {wanted.Problems.Count * samples} programs; phi-trainer complete ended with code {generated.ExitCode}: {process.Said}");
        }

        var summary = EvaluationSummary.Of(suite, results, _evaluation.K!);
        return new EvaluationEvent
        {
            Step = request.Step,
            Suite = spec.Name!,
            Time = time.GetUtcNow(),
            Committed = request.Committed,
            Problems = summary.Problems,
            Samples = samples,
            Passed = summary.Passed,
            PassAt = summary.PassAtK.ToDictionary(score => int.Parse(score.Key, CultureInfo.InvariantCulture), score => score.Value),
            Temperature = _evaluation.Temperature!.Value,
            TopP = _evaluation.TopP!.Value,
            MaxTokens = _evaluation.MaxTokens!.Value,
            Sha256 = summary.Sha256,
            Seconds = time.GetElapsedTime(_started).TotalSeconds,
        };
    }

    private GenerationRequest Generation() => new()
    {
        Checkpoint = request.Checkpoint,
        FromHuggingFace = null,
        Samples = _evaluation.Samples!.Value,
        Temperature = _evaluation.Temperature!.Value.ToString("R", CultureInfo.InvariantCulture),
        TopP = _evaluation.TopP!.Value.ToString("R", CultureInfo.InvariantCulture),
        TopK = "0",
        Seed = request.Seed.ToString(CultureInfo.InvariantCulture),
        MaxTokens = _evaluation.MaxTokens!.Value,
        BatchSize = BatchSize,
    };
}

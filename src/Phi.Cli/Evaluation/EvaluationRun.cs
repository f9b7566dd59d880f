using System.Globalization;
using Phi.Cli.Cluster;
using Phi.Cli.Output;
using Phi.Evaluation;
using Phi.Evaluation.Generation;
using Phi.Evaluation.Grading;
using Phi.Evaluation.Programs;
using Phi.Evaluation.Sandbox;
using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;

namespace Phi.Cli.Evaluation;

/// <summary>From a request to a report: the suite, the sandbox, the completions, the verdicts, the score.</summary>
internal static class EvaluationRun
{
    private static readonly TimeSpan Download = TimeSpan.FromMinutes(5);

    /// <returns>The report, and the code to end with.</returns>
    /// <exception cref="CliException">The model's completions could not all be had; those that are there were judged, and are kept.</exception>
    public static async Task<(EvaluationReport Report, int Code)> RunAsync(EvaluationRequest request, bool showFailing, CancellationToken cancellationToken)
    {
        if (request.Model is { } asked && request.Ks.Max() > asked.Samples)
        {
            throw new CliException($"--k is {string.Join(',', request.Ks)} and --samples is {asked.Samples}: pass@k needs at least k samples of each problem. Ask for more samples, or a smaller k.", ExitCodes.Usage);
        }

        using var http = new HttpClient { Timeout = Download };
        var suite = await new SuiteLoader(http).LoadAsync(request.Kind, request.File, request.Sha256, cancellationToken);
        var wanted = request.Limit is { } count ? suite.First(count) : suite;
        // Before anything is generated: hours of it would be for nothing.
        var sandbox = await PythonSandbox.CreateAsync(request.Python, request.Limits, cancellationToken);
        using var folder = request.Output is { } path ? ResultFolder.Open(path, Question(request, suite)) : null;
        var generated = request.Model is { } model ? new GeneratedCompletions(suite, wanted, model, request.Output!, static (arguments, ct) => TrainerTool.RunAsync(arguments, ct, isQuiet: true)) : null;
        var given = generated is null ? Given(request, suite, wanted) : null;
        if (given is not null)
        {
            RequireAll(wanted, given.Select(one => one.Problem.TaskId), request.IsPartial);
            RequireEnough(given, request.Ks);
        }

        var total = given?.Count ?? wanted.Problems.Count * request.Model!.Samples;
        var results = await GradeAsync(new Grader(sandbox, request.Workers, folder), generated?.ReadAsync(cancellationToken) ?? given!.ToAsyncEnumerable(), total, folder is not null, cancellationToken);
        if (generated is { ExitCode: not ExitCodes.Succeeded })
        {
            throw new CliException($"phi-trainer complete ended with code {generated.ExitCode} after {results.Count} of {total} completions; what it says is above. They are kept and judged: the same command continues.", generated.ExitCode);
        }

        RequireAll(wanted, results.Select(one => one.TaskId), request.IsPartial);
        var summary = EvaluationSummary.Of(suite, results, request.Ks);
        folder?.WriteSummary(summary);
        var order = wanted.Problems.Index().ToDictionary(one => one.Item.TaskId, one => one.Index);
        var failing = showFailing ? results.Where(one => !one.Passed).OrderBy(one => order[one.TaskId]).ThenBy(one => one.Sample).ToList() : null;
        return (new EvaluationReport(summary.Suite, summary.Source, summary.Sha256, summary.Problems, summary.Samples, summary.Passed, summary.PassAtK, summary.Verdicts, request.Output, failing), ExitCodes.Succeeded);
    }

    private static async Task<IReadOnlyList<SampleResult>> GradeAsync(Grader grader, IAsyncEnumerable<Sample> samples, int total, bool isKept, CancellationToken cancellationToken)
    {
        var (progress, gate, done, passed) = (new DataProgress(TimeProvider.System), new Lock(), 0, 0);
        try
        {
            return await grader.GradeAsync(
                samples,
                result =>
                {
                    lock (gate)
                    {
                        passed += result.Passed ? 1 : 0;
                        progress.Judging(++done, total, passed);
                    }
                },
                cancellationToken);
        }
        catch (OperationCanceledException) when (isKept)
        {
            progress.End();
            await Console.Error.WriteLineAsync("Interrupted. The same command continues.");
            throw;
        }
        finally
        {
            progress.End();
        }
    }

    private static List<Sample> Given(EvaluationRequest request, Suite suite, Suite wanted)
    {
        IEnumerable<Sample> samples = request.Completions is { } path
            ? new CompletionFile(path, suite, wanted).Read()
            : wanted.Problems.Select(problem => new Sample(problem, 0, problem.CanonicalCompletion));
        return [.. samples.Select(one => request.Truncate ? one with { Completion = Completions.Truncate(one.Completion, wanted.StopSequences) } : one)];
    }

    private static void RequireAll(Suite wanted, IEnumerable<string> judged, bool isPartial)
    {
        var there = judged.ToHashSet();
        List<string> missing = [.. wanted.Problems.Select(one => one.TaskId).Where(id => !there.Contains(id))];
        if (missing.Count > 0 && (!isPartial || there.Count == 0))
        {
            var names = string.Join(", ", missing.Take(5)) + (missing.Count > 5 ? ", …" : "");
            throw new EvaluationException($"{missing.Count} of {wanted.Problems.Count} problems have no completion: {names}. Add them, or score the others alone with --partial or --limit.");
        }
    }

    /// <summary>Said before hours of judging, not after.</summary>
    private static void RequireEnough(IReadOnlyList<Sample> samples, IReadOnlyList<int> ks)
    {
        List<(int, int)> problems = [.. samples.CountBy(one => one.Problem.TaskId).Select(pair => (pair.Value, 0))];
        foreach (var k in ks)
        {
            _ = PassAtK.Mean(problems, k);
        }
    }

    private static Dictionary<string, string> Question(EvaluationRequest request, Suite suite) => new(request.Model?.Question ?? new Dictionary<string, string>())
    {
        ["suite"] = suite.Kind.ToString(),
        ["sha256"] = suite.Sha256,
        ["of"] = request.Model is not null ? "model" : request.Completions ?? "references",
        ["timeout"] = request.Limits.Time.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        ["memory"] = request.Limits.MemoryBytes.ToString(CultureInfo.InvariantCulture),
    };
}

using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>
/// Writes and reads evaluations, the same in either database. A later attempt's takes the place of an earlier one's, and a score that of none;
/// what was stored before changes nothing.
/// </summary>
internal sealed class EvaluationRows(DbConnection connection, DbTransaction transaction)
{
    private const string ProblemSql = """
        INSERT INTO evaluation_problems (run_id, step, suite, number, attempt, name, samples, passed, verdict, prompt, shown)
        VALUES (@run, @step, @suite, @number, @attempt, @name, @samples, @passed, @verdict, @prompt, @shown)
        ON CONFLICT (run_id, step, suite, number) DO UPDATE SET attempt = excluded.attempt, name = excluded.name, samples = excluded.samples, passed = excluded.passed,
            verdict = excluded.verdict, prompt = excluded.prompt, shown = excluded.shown
        WHERE excluded.attempt >= evaluation_problems.attempt
        """;

    private const string EvaluationSql = """
        INSERT INTO evaluations (run_id, step, suite, attempt, ts, reason, message, problems, samples, passed, pass_at, temperature, top_p, max_tokens, sha256, seconds)
        VALUES (@run, @step, @suite, @attempt, @ts, @reason, @message, @problems, @samples, @passed, @scores, @temperature, @top_p, @tokens, @sha256, @seconds)
        ON CONFLICT (run_id, step, suite) DO UPDATE SET attempt = excluded.attempt, ts = excluded.ts, reason = excluded.reason, message = excluded.message, problems = excluded.problems,
            samples = excluded.samples, passed = excluded.passed, pass_at = excluded.pass_at, temperature = excluded.temperature, top_p = excluded.top_p,
            max_tokens = excluded.max_tokens, sha256 = excluded.sha256, seconds = excluded.seconds
        WHERE excluded.attempt >= evaluations.attempt AND (excluded.reason IS NULL OR evaluations.reason IS NOT NULL)
        """;

    /// <summary>Of an earlier evaluation of the same checkpoint with more problems.</summary>
    private const string RestSql = "DELETE FROM evaluation_problems WHERE run_id = @run AND step = @step AND suite = @suite AND number >= @problems AND attempt <= @attempt";

    public async Task WriteAsync(EventBatch batch, CancellationToken ct)
    {
        foreach (var problem in batch.Problems)
        {
            await ExecuteAsync(
                ProblemSql, ct, ("run", batch.JobUid), ("step", problem.Step), ("suite", problem.Suite), ("number", problem.Number), ("attempt", batch.Attempt),
                ("name", problem.Name), ("samples", problem.Samples), ("passed", problem.Passed), ("verdict", Verdict(problem)),
                ("prompt", StoredText.Of(problem.Prompt, EvaluatedProblem.MostPrompt)), ("shown", JsonSerializer.Serialize(problem.Shown.Select(Clean), PhiJson.Options)));
        }

        foreach (var evaluation in batch.Evaluations)
        {
            await ExecuteAsync(
                EvaluationSql, ct, ("run", batch.JobUid), ("step", evaluation.Step), ("suite", evaluation.Suite), ("attempt", batch.Attempt), ("ts", evaluation.Time.ToUnixTimeMilliseconds()),
                ("reason", (object?)evaluation.Reason ?? DBNull.Value), ("message", StoredText.Of(evaluation.Message ?? "", int.MaxValue)), ("problems", evaluation.Problems), ("samples", evaluation.Samples),
                ("passed", evaluation.Passed), ("scores", JsonSerializer.Serialize(evaluation.PassAt, PhiJson.Options)), ("temperature", evaluation.Temperature), ("top_p", evaluation.TopP),
                ("tokens", evaluation.MaxTokens), ("sha256", (object?)evaluation.Sha256 ?? DBNull.Value), ("seconds", evaluation.Seconds));
            if (evaluation.Reason is null)
            {
                await ExecuteAsync(RestSql, ct, ("run", batch.JobUid), ("step", evaluation.Step), ("suite", evaluation.Suite), ("problems", evaluation.Problems), ("attempt", batch.Attempt));
            }
        }
    }

    public static async Task<IReadOnlyList<EvaluationRecord>> ReadAsync(TelemetryContext context, string run, CancellationToken ct)
    {
        var rows = await context.Evaluations.Where(row => row.RunId == run).OrderByDescending(row => row.Step).ThenBy(row => row.Suite).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(Record)];
    }

    public static async Task<IReadOnlyList<EvaluationRecord>> NewestAsync(TelemetryContext context, string run, CancellationToken ct)
    {
        var rows = await context.Evaluations.Where(row => row.RunId == run && row.Step == context.Evaluations.Where(other => other.RunId == run).Max(other => other.Step)).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(Record)];
    }

    public static async Task<IReadOnlyList<ProblemSummary>> ProblemsAsync(TelemetryContext context, EvaluationKey key, CancellationToken ct) => await Problems(context, key).OrderBy(row => row.Number)
        .Select(row => new ProblemSummary(row.Number, row.Name, row.Samples, row.Passed, row.Verdict)).ToListAsync(ct);

    public static async Task<ProblemDetail?> ProblemAsync(TelemetryContext context, EvaluationKey key, int number, CancellationToken ct) =>
        await Problems(context, key).Where(row => row.Number == number).AsNoTracking().FirstOrDefaultAsync(ct) is { } row
            ? new ProblemDetail(new ProblemSummary(row.Number, row.Name, row.Samples, row.Passed, row.Verdict), row.Prompt, JsonSerializer.Deserialize<List<EvaluatedSample>>(row.Shown, PhiJson.Options)!)
            : null;

    private static IQueryable<EvaluationProblemRow> Problems(TelemetryContext context, EvaluationKey key) =>
        context.EvaluationProblems.Where(row => row.RunId == key.Run && row.Step == key.Step && row.Suite == key.Suite);

    private static EvaluationRecord Record(EvaluationRow row) => new(row.Step, row.Suite, row.Attempt, DateTimeOffset.FromUnixTimeMilliseconds(row.Ts), row.Reason, row.Message)
    {
        Problems = row.Problems,
        Samples = row.Samples,
        Passed = row.Passed,
        PassAt = JsonSerializer.Deserialize<SortedDictionary<int, double>>(row.PassAt, PhiJson.Options)!,
        Temperature = row.Temperature,
        TopP = row.TopP,
        MaxTokens = row.MaxTokens,
        Sha256 = row.Sha256,
        Seconds = row.Seconds,
    };

    private static string Verdict(EvaluatedProblem problem) => problem.Shown.FirstOrDefault(sample => sample.Verdict != EvaluatedSample.Passed)?.Verdict ?? EvaluatedSample.Passed;

    private static EvaluatedSample Clean(EvaluatedSample sample) => sample with
    {
        Completion = StoredText.Of(sample.Completion, EvaluatedProblem.MostCompletion),
        Output = StoredText.Of(sample.Output, EvaluatedProblem.MostOutput),
    };

    private async Task ExecuteAsync(string sql, CancellationToken ct, params (string Name, object Value)[] values)
    {
        await using var command = connection.Statement(transaction, sql).With(values);
        await command.ExecuteNonQueryAsync(ct);
    }
}

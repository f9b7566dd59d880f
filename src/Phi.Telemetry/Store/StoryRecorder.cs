using System.Data.Common;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Store;

/// <summary>Writes what happened to runs, over a connection to either database.</summary>
internal sealed class StoryRecorder(DbConnection connection)
{
    public async Task WriteAsync(IReadOnlyList<StoryPage> pages, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var run = connection.Statement(transaction, "INSERT INTO runs (id, namespace, job) VALUES (@run, @namespace, @job) ON CONFLICT (id) DO NOTHING");
        foreach (var page in pages.DistinctBy(page => page.Run))
        {
            await run.With(("run", page.Run), ("namespace", page.Namespace), ("job", page.Job)).ExecuteNonQueryAsync(ct);
        }

        await using var transition = connection.Statement(transaction, """
            INSERT INTO transitions (run_id, ts, reason, message, is_warning, attempt, phase) VALUES (@run, @ts, @reason, @message, @warning, @attempt, @phase)
            ON CONFLICT (run_id, ts, reason) DO NOTHING
            """);
        foreach (var (page, value) in pages.SelectMany(page => page.Transitions.Select(transition => (page, transition))))
        {
            await transition
                .With(("run", page.Run), ("ts", value.Time.ToUnixTimeMilliseconds()), ("reason", value.Reason), ("message", value.Message), ("warning", value.IsWarning), ("attempt", value.Attempt), ("phase", value.Phase))
                .ExecuteNonQueryAsync(ct);
        }

        // What an interruption cost is known better once the next attempt trains.
        await using var interruption = connection.Statement(transaction, """
            INSERT INTO interruptions (run_id, attempt, ts, reason, message, charged, step, resume_step, lost_steps) VALUES (@run, @attempt, @ts, @reason, @message, @charged, @step, @resume, @lost)
            ON CONFLICT (run_id, attempt) DO UPDATE SET step = excluded.step, resume_step = excluded.resume_step, lost_steps = excluded.lost_steps
            """);
        // A job's newest page has what the ones before it had.
        foreach (var (page, value) in pages.GroupBy(page => page.Run).Select(run => run.Last()).SelectMany(page => page.Interruptions.Select(interruption => (page, interruption))))
        {
            await interruption
                .With(
                    ("run", page.Run), ("attempt", value.Attempt), ("ts", value.Time.ToUnixTimeMilliseconds()), ("reason", value.Reason), ("message", value.Message), ("charged", value.Charged),
                    ("step", value.Step), ("resume", value.ResumeStep), ("lost", value.LostSteps))
                .ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
    }
}

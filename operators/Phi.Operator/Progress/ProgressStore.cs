using Phi.Telemetry.Goodput;
using Phi.Telemetry.Store;

namespace Phi.Operator.Progress;

/// <summary>Keeps runs' progress in the ledger, reads it back, and asks the store what does not follow from the events alone.</summary>
internal sealed class ProgressStore(TelemetryStore store)
{
    /// <summary>Steps that are read at once.</summary>
    private const int Page = 10_000;

    /// <summary>From the ledger, and from the steps that are newer than it.</summary>
    public async Task<RunProgress> LoadAsync(string run, CancellationToken ct)
    {
        var progress = new RunProgress(run);
        progress.Restore(await store.Goodput.ReadAsync(run, ct));
        var last = progress.Attempts.Where(account => account.Row.Steps > 0).ToDictionary(account => account.Attempt, account => account.Row.LastStep);
        foreach (var attempt in await store.Goodput.AttemptsAsync(run, ct))
        {
            var after = last.GetValueOrDefault(attempt, -1);
            IReadOnlyList<StoredStep> steps;
            do
            {
                steps = await store.Goodput.StepsAsync(run, attempt, after, Page, ct);
                foreach (var step in steps)
                {
                    progress.Add(attempt, step);
                    after = step.Step;
                }
            }
            while (steps.Count == Page);
        }

        progress.Checkpoints.Set(await store.CheckpointTotalsAsync(run, [], ct));
        progress.Evaluations.Restore(await store.NewestEvaluationsAsync(run, ct));
        await SettleAsync(progress, ct);
        await ReadRateAsync(progress, ct);
        return progress;
    }

    /// <summary>Ends every doubt. What was stored and is not added yet stays out.</summary>
    /// <returns>What came late, and so was not counted when it was added.</returns>
    public async Task<LateEvents> SettleAsync(RunProgress progress, CancellationToken ct)
    {
        var steps = 0L;
        foreach (var account in progress.Attempts.Where(account => account.IsCountInDoubt))
        {
            steps += await CountAsync(progress, account, ct);
        }

        progress.Fork();
        foreach (var account in progress.Attempts.Where(account => account.IsLostInDoubt))
        {
            account.SetLost((await store.Goodput.SumAsync(progress.Run, account.Attempt, account.Row.LostFromStep!.Value, account.Row.LastStep, ct)).Seconds);
        }

        if (steps > 0)
        {
            await ReadRateAsync(progress, ct);
        }

        var (count, bytes) = progress.Checkpoints.IsInDoubt ? progress.Checkpoints.Set(await store.CheckpointTotalsAsync(progress.Run, progress.Checkpoints.Damaged, ct)) : default;
        return new LateEvents(steps, count, bytes);
    }

    /// <summary>Writes what is new to the ledger, but for what is in doubt.</summary>
    public async Task SaveAsync(IReadOnlyList<RunProgress> runs, CancellationToken ct)
    {
        var news = runs.Select(run => (run.Run, Accounts: run.Attempts.Where(account => account.HasNews && !account.IsInDoubt).ToList())).Where(run => run.Accounts.Count > 0).ToList();
        await store.Goodput.WriteAsync([.. news.Select(run => new RunGoodput(run.Run, [.. run.Accounts.Select(account => account.Row)]))], ct);
        foreach (var account in news.SelectMany(run => run.Accounts))
        {
            account.MarkSaved();
        }
    }

    /// <summary>To go through an attempt's steps takes long; to count them does not, and most that come again are known.</summary>
    private async Task<long> CountAsync(RunProgress progress, AttemptAccount account, CancellationToken ct)
    {
        var (run, attempt, before) = (progress.Run, account.Attempt, account.Row);
        if (await store.Goodput.CountAsync(run, attempt, before.LastStep, ct) <= before.Steps)
        {
            account.Confirm();
            return 0;
        }

        var first = await store.Goodput.StepsAsync(run, attempt, -1, 1, ct);
        var loss = await store.Goodput.NewestAsync(run, attempt, "loss", before.LastStep, ct);
        var tokens = await store.Goodput.NewestAsync(run, attempt, "tokens", before.LastStep, ct);
        account.Recount(await store.Goodput.SumAsync(run, attempt, 0, before.LastStep, ct), first[0], loss, tokens is { } known && double.IsFinite(known) ? known : null);
        return account.Row.Steps - before.Steps;
    }

    private async Task ReadRateAsync(RunProgress progress, CancellationToken ct)
    {
        progress.Rate.Clear();
        if (progress.Newest is { } newest)
        {
            foreach (var step in await store.Goodput.NewestStepsAsync(progress.Run, newest.Attempt, newest.Row.LastStep, RateWindow.Size, ct))
            {
                progress.Rate.Add(step);
            }
        }
    }
}

/// <summary>Events of a run that came after later ones.</summary>
internal readonly record struct LateEvents(long Steps, int Checkpoints, long CheckpointBytes);

using CsCheck;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.Tests;

/// <summary>Whatever life a run had, its figures are those of a model that keeps every step.</summary>
public sealed class RunProgressPropertyTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>First step, reports and the steps between them of each attempt; how long the batches are, and what happens after each.</summary>
    private static readonly Gen<Life> Lives =
        from attempts in Gen.Select(Gen.Int[1, 600], Gen.Int[1, 400], Gen.Frequency((3, Gen.Const(1)), (1, Gen.Const(10)))).List[1, 5]
        from batch in Gen.Int[1, 150]
        from shuffle in Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 4]), (1, Gen.Const(1000)))
        from order in Gen.Int[0, 1000].Array[64]
        from after in Gen.Frequency((6, Gen.Const(After.Nothing)), (2, Gen.Const(After.Settle)), (2, Gen.Const(After.Save)), (2, Gen.Const(After.Crash)), (1, Gen.Const(After.Restart)), (2, Gen.Const(After.Replay)), (1, Gen.Const(After.Unheard))).Array[64]
        select new Life(attempts, batch, shuffle, order, after);

    private readonly RunProgressBed _bed = new();

    private enum After
    {
        Nothing,
        Settle,
        Save,
        Crash,
        Restart,

        /// <summary>A batch of before comes again.</summary>
        Replay,

        /// <summary>The next batch is stored while nobody leads.</summary>
        Unheard,
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _bed.OpenAsync(Ct);

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public Task Describe_OfGeneratedLives_HasTheFiguresOfAllSteps() => Lives.SampleAsync(
        async life =>
        {
            var run = Guid.NewGuid().ToString();
            _bed.Begin(run);
            var batches = life.Batches(run);
            for (var i = 0; i < batches.Count; i++)
            {
                var isUnheard = i > 0 && life.Of(i - 1) == After.Unheard;
                await _bed.Store.IngestAsync(batches[i], Ct);
                if (!isUnheard)
                {
                    _bed.Take(batches[i]);
                }

                await (life.Of(i) switch
                {
                    After.Settle => _bed.SettleAsync(Ct),
                    After.Save => _bed.SaveAsync(Ct),
                    After.Restart => _bed.RestartAsync(Ct),
                    After.Replay => _bed.AddAsync(batches[life.Order[i % life.Order.Length] % (i + 1)], Ct),
                    _ when isUnheard || life.Of(i) == After.Crash => _bed.CrashAsync(Ct),
                    _ => Task.CompletedTask,
                });
                if (isUnheard)
                {
                    await _bed.CrashAsync(Ct);
                }
            }

            await AssertAsync(life);
            await _bed.RestartAsync(Ct);
            await AssertAsync(life);
        },
        iter: 80, threads: 1);

    private async Task AssertAsync(Life life)
    {
        await _bed.SettleAsync(Ct);
        var actual = _bed.Progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created } }, 100_000, Created.AddSeconds(1_000_000));
        var model = new Model(life.Attempts());
        Assert.Equal((model.Step, model.Tokens, model.Loss, model.FirstLoss), (actual.Progress!.Step, actual.Progress.Tokens, actual.Progress.Loss, actual.Progress.FirstLoss));
        Assert.Equal((model.Productive, model.Lost), (actual.Goodput!.ProductiveSeconds, actual.Goodput.LostSeconds!["lostWork"]));
        Assert.Equal((model.Starting, model.Recovering), (actual.Goodput.LostSeconds["starting"], actual.Goodput.LostSeconds["recovering"]));
        Assert.Equal(model.TokensPerSecond, actual.Progress.TokensPerSecond);
    }

    /// <summary>Every step of every attempt.</summary>
    private sealed class Model(SortedDictionary<int, List<StepEvent>> attempts)
    {
        private readonly List<StepEvent> _newest = attempts.Values.Last();

        public long Step => _newest[^1].Step;

        public long Tokens => (long)_newest[^1].Metrics["tokens"];

        public double? Loss => Rounded(_newest[^1].Metrics["loss"]);

        public double? FirstLoss => attempts.Values.LastOrDefault(steps => steps[0].Step == 1)?[0] is { } first ? Rounded(first.Metrics["loss"]) : null;

        public double Productive => Math.Round(Steps().Where(step => step.IsKept).Sum(step => step.Seconds), 3);

        public double Lost => Math.Round(Steps().Where(step => !step.IsKept).Sum(step => step.Seconds), 3);

        public double Starting => Math.Round((Start(attempts.Values.First()) - Created).TotalSeconds, 3);

        public double Recovering => Math.Round(attempts.Values.Zip(attempts.Values.Skip(1)).Sum(pair => Math.Max(0, (Start(pair.Second) - pair.First[^1].Time).TotalSeconds)), 3);

        public double? TokensPerSecond => _newest.TakeLast(20).ToList() is [var first, .., var last] ? Math.Round((last.Metrics["tokens"] - first.Metrics["tokens"]) / (last.Time - first.Time).TotalSeconds, 1) : null;

        private IEnumerable<(double Seconds, bool IsKept)> Steps() =>
            from attempt in attempts
            let lostFrom = attempts.Where(later => later.Key > attempt.Key).Select(later => later.Value[0].Step).DefaultIfEmpty(long.MaxValue).Min()
            from i in Enumerable.Range(0, attempt.Value.Count)
            let step = attempt.Value[i]
            select (step.Metrics["step_seconds"] * (i == 0 ? 1 : step.Step - attempt.Value[i - 1].Step), step.Step < lostFrom);

        private static DateTimeOffset Start(List<StepEvent> steps) => steps[0].Time.AddSeconds(-steps[0].Metrics["step_seconds"]);

        private static double? Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 5) : null;
    }

    private sealed record Life(List<(int First, int Count, int Stride)> Given, int BatchSize, int Shuffle, int[] Order, After[] Afters)
    {
        public After Of(int batch) => Afters[batch % Afters.Length];

        public SortedDictionary<int, List<StepEvent>> Attempts() => new(Given.Select((attempt, i) => (attempt, Number: i + 1)).ToDictionary(entry => entry.Number, entry => Enumerable.Range(0, entry.attempt.Count).Select(i =>
        {
            var step = i * entry.attempt.Stride + entry.attempt.First;
            return new StepEvent
            {
                Rank = 0,
                Step = step,
                Time = Created.AddSeconds(entry.Number * 10_000 + i),
                // A sum of eighths is the same in any order.
                Metrics = new Dictionary<string, double> { ["step_seconds"] = (1 + step % 7) / 8.0, ["loss"] = step % 50 == 3 ? double.NaN : 1.0 / step, ["tokens"] = 100.0 * step },
            };
        }).ToList()));

        /// <summary>In the order in which they come.</summary>
        public List<EventBatch> Batches(string run) =>
        [
            .. Attempts().SelectMany(attempt => attempt.Value.Chunk(BatchSize).Select(steps => RunProgressBed.Batch(attempt.Key, steps, run)))
                .Select((batch, i) => (batch, At: i + (Shuffle == 0 ? 0 : Order[i % Order.Length] % (Shuffle + 1))))
                .OrderBy(entry => entry.At).Select(entry => entry.batch),
        ];
    }
}

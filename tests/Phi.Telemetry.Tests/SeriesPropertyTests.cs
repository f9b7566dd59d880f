using CsCheck;
using Phi.Api.Agent;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Tests;

public sealed class SqliteSeriesPropertyTests() : SeriesPropertyTests(new SqliteDatabase());

public sealed class PostgresSeriesPropertyTests(PostgresFixture fixture) : SeriesPropertyTests(new PostgresDatabase(fixture));

/// <summary>Whatever attempts a run had, and however its batches came in, a curve's buckets are those of its points.</summary>
public abstract class SeriesPropertyTests(ITestDatabase database) : StoreTests(database)
{
    private static readonly Gen<double> Value = Gen.Frequency((20, Gen.Double[-1e6, 1e6]), (1, OneOf(double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.0, -0.0, 1e300, 5e-324)));

    /// <summary>First step, number of steps and the step between them of each attempt; then an order of delivery, and a range.</summary>
    private static readonly Gen<Case> Cases =
        from attempts in Gen.Select(Gen.Int[1, 900], Gen.Int[0, 700], OneOf(1, 1, 1, 10)).List[1, 4]
        from values in Value.Array[64]
        from batch in Gen.Int[1, 400]
        from order in Gen.Int.Array[40]
        from buckets in Gen.OneOf(Gen.Int[1, 40], Gen.Int[1, 2000])
        from range in Gen.Select(Gen.Int[-5, 1700], Gen.Int[-5, 1700])
        from isWhole in Gen.Bool
        select new Case(attempts, values, batch, order, buckets, isWhole ? null : Math.Min(range.Item1, range.Item2), isWhole ? null : Math.Max(range.Item1, range.Item2));

    [Fact]
    public Task Series_OfGeneratedRuns_HasTheFiguresOfThePoints() => Cases.SampleAsync(
        async given =>
        {
            var run = Guid.NewGuid().ToString();
            var batches = given.Batches(run).ToList();
            // Reordered, and a part of them twice.
            foreach (var batch in batches.Select((batch, i) => (batch, given.Order[i % given.Order.Length])).OrderBy(entry => entry.Item2).Select(entry => entry.batch).Concat(batches.Where((_, i) => i % 3 == 0)))
            {
                await Store.IngestAsync(batch, Ct);
            }

            var curve = await Store.SeriesAsync(new SeriesQuery { Run = run, Metric = "loss", Buckets = given.Buckets, From = given.From, To = given.To }, Ct);

            AssertSame(Expected(given, curve.BucketSteps), curve.Columns);
            Assert.True(curve.Columns.Step.Length <= given.Buckets, $"{curve.Columns.Step.Length} buckets, {given.Buckets} were asked for");
            var firsts = batches.SelectMany(batch => batch.Steps.Select(step => (batch.Attempt, step.Step))).GroupBy(step => step.Attempt).ToDictionary(group => group.Key, group => group.Min(step => step.Step));
            Assert.All(curve.Lost, lost => Assert.All(lost.Columns.Step, step => Assert.Contains(firsts, first => first.Key > lost.Attempt && first.Value <= step)));
        },
        iter: 60, threads: 1);

    private static List<(double Step, double[] Values, int NonFinite)> Expected(Case given, long bucketSteps)
    {
        var effective = new SortedDictionary<long, double>();
        foreach (var (_, steps) in given.Attempts())
        {
            if (steps.Count > 0)
            {
                var from = steps.Keys.Min();
                foreach (var step in effective.Keys.Where(step => step >= from).ToList())
                {
                    effective.Remove(step);
                }
            }

            foreach (var (step, value) in steps)
            {
                effective[step] = value;
            }
        }

        return [.. effective.Where(point => point.Key >= (given.From ?? double.NegativeInfinity) && point.Key <= (given.To ?? double.PositiveInfinity)).GroupBy(point => point.Key / bucketSteps)
            .Select(bucket => ((double)bucket.Last().Key, bucket.Select(point => point.Value).Where(double.IsFinite).ToArray(), bucket.Count(point => !double.IsFinite(point.Value))))];
    }

    private static void AssertSame(List<(double Step, double[] Values, int NonFinite)> expected, SeriesColumns actual)
    {
        Assert.Equal(expected.Select(bucket => bucket.Step), actual.Step);
        Assert.Equal(expected.Select(bucket => bucket.Step * 1000), actual.Time);
        Assert.Equal(expected.Select(bucket => (double)bucket.Values.Length), actual.Count);
        Assert.Equal(expected.Select(bucket => (double)bucket.NonFinite), actual.NonFinite);
        Assert.Equal(expected.Select(bucket => bucket.Values.Length == 0 ? double.NaN : bucket.Values.Min()), actual.Min);
        Assert.Equal(expected.Select(bucket => bucket.Values.Length == 0 ? double.NaN : bucket.Values.Max()), actual.Max);
        Assert.Equal(expected.Select(bucket => bucket.Values.Length == 0 ? double.NaN : bucket.Values[^1]), actual.Last);
        // A sum depends on the order of its terms in its last bits, in proportion to what was added.
        Assert.All(expected.Zip(actual.Average), pair =>
        {
            var scale = pair.First.Values.Sum(Math.Abs);
            Assert.True(pair.First.Values.Length == 0 ? double.IsNaN(pair.Second) : Math.Abs(pair.First.Values.Sum() / pair.First.Values.Length - pair.Second) <= 1e-12 * scale, $"{pair.Second} is not the mean of {string.Join(", ", pair.First.Values)}");
        });
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private sealed record Case(List<(int First, int Count, int Stride)> Shape, double[] Values, int BatchSteps, int[] Order, int Buckets, double? From, double? To)
    {
        public IEnumerable<(int Attempt, SortedDictionary<long, double> Steps)> Attempts() => Shape.Select((shape, i) => (i + 1, new SortedDictionary<long, double>(
            Enumerable.Range(0, shape.Count).ToDictionary(at => shape.First + (long)at * shape.Stride, at => Values[(at * 7 + i) % Values.Length]))));

        public IEnumerable<EventBatch> Batches(string run) => Attempts().SelectMany(attempt => attempt.Steps.Select(step => Telemetry.Tests.Batches.Step(step.Key, step.Value)).Chunk(BatchSteps).Select(steps => Telemetry.Tests.Batches.Of(run, attempt.Attempt, steps)));
    }
}

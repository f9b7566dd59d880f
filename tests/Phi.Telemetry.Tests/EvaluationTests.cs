using Phi.Api.Agent;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Tests;

public sealed class SqliteEvaluationTests() : EvaluationTests(new SqliteDatabase());

public sealed class PostgresEvaluationTests(PostgresFixture fixture) : EvaluationTests(new PostgresDatabase(fixture));

/// <summary>What came of checkpoints, and the curves of their scores.</summary>
public abstract class EvaluationTests(ITestDatabase database) : StoreTests(database)
{
    private const string Metric = "humaneval_pass_at_1";
    private static readonly EvaluationKey Key = new(Run, 20, Evaluations.Suite);

    [Fact]
    public async Task Ingest_AnEvaluationTwice_IsStoredOnceAndACurveOfTheRun()
    {
        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 40, _ => 1), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [true, false, false, false]), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 40, [true, true, false, false]), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [true, false, false, false]), Ct);

        var stored = await Store.EvaluationsAsync(Run, Ct);

        Assert.Equal([(40L, 0.5), (20L, 0.25)], stored.Select(evaluation => (evaluation.Step, evaluation.PassAt[1])));
        Assert.Equal(["Passed", "TimedOut", "TimedOut", "TimedOut"], (await Store.ProblemsAsync(Key, Ct)).Select(problem => problem.Verdict));
        var problem = (await Store.ProblemAsync(Key, 1, Ct))!;
        Assert.Equal(("HumanEval/1", "def f1():\n", "    return 20"), (problem.Summary.Name, problem.Prompt, Assert.Single(problem.Shown).Completion));
        Assert.Null(await Store.ProblemAsync(Key, 4, Ct));
        Assert.Equal(["humaneval_pass_at_1", "loss"], await Store.MetricsAsync(Run, Ct));
        Assert.Equal([(20, 0.25), (40, 0.5)], await CurveAsync());
        Assert.Equal(1, Assert.Single((await Store.RunAsync(Run, Ct))!.Attempts).FirstStep);
    }

    [Fact]
    public async Task Ingest_AStepThatALaterAttemptSavedAgain_HasTheLaterScoreOnce()
    {
        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 30, _ => 1), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 10, [true, false]), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [false, false, false]), Ct);
        await Store.IngestAsync(Batches.Loss(Run, 2, 11, 30, _ => 1), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 2, 20, [true, true]), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [false, false, false]), Ct);

        Assert.Equal([(20L, 2, 1.0), (10L, 1, 0.5)], (await Store.EvaluationsAsync(Run, Ct)).Select(evaluation => (evaluation.Step, evaluation.Attempt, evaluation.PassAt[1])));
        Assert.Equal([(10, 0.5), (20, 1)], await CurveAsync());
        Assert.Equal(20, Assert.Single(await Store.NewestEvaluationsAsync(Run, Ct)).Step);
    }

    [Fact]
    public async Task Ingest_AnEvaluationOfFewerProblems_LeavesNoneOfTheOneBefore()
    {
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [true, false, false]), Ct);
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [false, true]), Ct);

        Assert.Equal([(0, 0), (1, 1)], (await Store.ProblemsAsync(Key, Ct)).Select(problem => (problem.Number, problem.Passed)));
    }

    [Fact]
    public async Task Ingest_NoScore_IsToldAndTakesNoScoreAway()
    {
        await Store.IngestAsync(Evaluations.NotEvaluated(Run, 1, 20, EvaluationEvent.SandboxRefused, "the kernel gives no namespaces"), Ct);
        var before = Assert.Single(await Store.EvaluationsAsync(Run, Ct));
        await Store.IngestAsync(Evaluations.Of(Run, 1, 20, [true]), Ct);
        await Store.IngestAsync(Evaluations.NotEvaluated(Run, 1, 20, EvaluationEvent.NoTime, "the pod had to leave"), Ct);

        Assert.Equal((EvaluationEvent.SandboxRefused, "the kernel gives no namespaces", 0), (before.Reason, before.Message, before.PassAt.Count));
        Assert.Equal((null, 1.0), (Assert.Single(await Store.EvaluationsAsync(Run, Ct)).Reason, Assert.Single(await Store.EvaluationsAsync(Run, Ct)).PassAt[1]));
    }

    [Fact]
    public async Task Ingest_WhatAModelMayWrite_IsKeptAsTextThatTheDatabaseTakes()
    {
        var batch = Evaluations.Of(Run, 1, 20, [false]);
        var hostile = "\0<script>'; DROP TABLE runs; --\ud83d" + new string('x', 100);
        var problem = batch.Problems[0] with { Prompt = hostile, Shown = [new EvaluatedSample(0, "Failed", hostile, hostile) { OutputCut = 7 }] };

        await Store.IngestAsync(batch with { Problems = [problem] }, Ct);

        var read = (await Store.ProblemAsync(Key, 0, Ct))!;
        Assert.StartsWith("\uFFFD<script>'; DROP TABLE runs; --", read.Prompt, StringComparison.Ordinal);
        Assert.Equal(7, Assert.Single(read.Shown).OutputCut);
        Assert.DoesNotContain('\0', read.Shown[0].Completion);
    }

    private async Task<IEnumerable<(double, double)>> CurveAsync()
    {
        var curve = await Store.SeriesAsync(new SeriesQuery { Run = Run, Metric = Metric, Buckets = 1000 }, Ct);
        return curve.Columns.Step.Zip(curve.Columns.Last);
    }
}

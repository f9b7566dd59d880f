using System.Collections.Concurrent;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Agent;
using Phi.Trainer.Agent.Evaluating;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Evaluating;

/// <summary>Which checkpoints are evaluated. None of them is in the store, so that each is reported at once, with why it is not.</summary>
public sealed class CheckpointEvaluatorTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi evaluator ").FullName;
    private readonly ConcurrentQueue<(int Attempt, RankEvent Event)> _reported = new();
    private readonly SemaphoreSlim _idle = new(0);
    private readonly CheckpointEvaluator _evaluator;

    public CheckpointEvaluatorTests()
    {
        var settings = new AgentSettings
        {
            OperatorUrl = new Uri("http://localhost"), TokenFile = "", AuthorityFile = "", CheckpointRoot = _folder, DataCache = _folder, EventFolder = _folder,
            Request = new AssignmentRequest { Namespace = "default", Job = "job", JobUid = "uid", Pod = "job-0", PodUid = "pod", PodIp = "127.0.0.1", ReplicaIndex = 0 },
        };
        _evaluator = new CheckpointEvaluator(settings, Path.Combine(_folder, "work"), (attempt, value) => _reported.Enqueue((attempt, value)), () => _idle.Release(), _ => { });
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _evaluator.DisposeAsync();
        _idle.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Committed_EverySecondCheckpoint_EvaluatesThoseAndTheLast()
    {
        _evaluator.Begin(Assignment(resume: null, evaluated: null));
        foreach (var (step, isDue) in new[] { (10, false), (20, true), (30, false), (50, true) })
        {
            _evaluator.Committed(step);
            if (isDue)
            {
                await _idle.WaitAsync(Ct);
            }

            Assert.False(_evaluator.IsBusy);
        }

        Assert.Equal([(2, 20L, "humaneval"), (2, 20, "mbpp"), (2, 50, "humaneval"), (2, 50, "mbpp")], _reported.Select(one => (one.Attempt, Evaluation(one.Event).Step, Evaluation(one.Event).Suite)));
        Assert.All(_reported, one => Assert.Equal(EvaluationEvent.GenerationFailed, Evaluation(one.Event).Reason));
    }

    [Theory]
    [InlineData(20, null, true)]
    [InlineData(20, 10, true)]
    [InlineData(20, 20, false)]
    [InlineData(null, null, false)]
    public async Task Begin_OfAPod_TakesUpTheNewestCheckpointThatWasNotEvaluated(int? resume, int? evaluated, bool isTakenUp)
    {
        _evaluator.Begin(Assignment(resume, evaluated));
        if (isTakenUp)
        {
            await _idle.WaitAsync(Ct);
        }

        _evaluator.Begin(Assignment(resume, evaluated));

        Assert.False(_evaluator.IsBusy);
        Assert.Equal(isTakenUp ? [20L, 20] : [], _reported.Select(one => Evaluation(one.Event).Step));
    }

    [Fact]
    public void Committed_AfterItWasGivenUp_EvaluatesNothing()
    {
        _evaluator.Begin(Assignment(resume: null, evaluated: null));
        _evaluator.GiveUp("the pod was asked to leave");

        _evaluator.Committed(50);

        Assert.False(_evaluator.IsBusy);
        Assert.Empty(_reported);
    }

    private static EvaluationEvent Evaluation(RankEvent value) => Assert.IsType<RankEvent.Evaluated>(value).Evaluation;

    private static Assignment Assignment(long? resume, long? evaluated)
    {
        var evaluation = new EvaluationSpec { EveryCheckpoints = 2, Suites = [new EvaluationSuiteSpec { Name = "humaneval", File = "/none" }, new EvaluationSuiteSpec { Name = "mbpp", File = "/none" }] };
        return new Assignment
        {
            Attempt = 2, WorldSize = 1, Replicas = 1, LocalWorldSize = 1, FirstRank = 0, MasterAddress = "127.0.0.1", MasterPort = 1, ResumeStep = resume, EvaluatedStep = evaluated,
            Spec = new TrainingJobSpec { Phi = new PhiSpec { Steps = 50, Seed = 1, Evaluation = evaluation }, Checkpoint = new CheckpointSpec { Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "none" } } } },
        };
    }
}

using System.Diagnostics;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Comparison;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

/// <summary>Jobs that begin with another job's checkpoint; every rank is a process.</summary>
public sealed class InitializedJobTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi initialized ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Weights_OfAnotherJob_AreFineTunedFromStepZeroOnOtherDataByMoreRanks()
    {
        await SucceedAsync(Job("source", steps: 4));
        var tuned = Job("tuned", steps: 3, corpus: "other", change: phi => (phi.Seed, phi.Model!.SequenceLength, phi.Batch!.Global) = (9, 16, 2)) with { World = 2, Initialize = new InitializeAssignment("source", null, "weights") };

        var events = await SucceedAsync(tuned);

        Assert.Equal(0, events.OfType<RankEvent.Training>().First().FromStep);
        Assert.Equal([0L, 3], events.OfType<RankEvent.Saved>().Select(saved => saved.Checkpoint.Step));
        var difference = Compare("source", 4, "tuned", 0);
        Assert.All(difference.Tensors.Where(tensor => tensor.Kind == "weights"), tensor => Assert.True(tensor.IsEqual, tensor.Tensor));
        Assert.Contains(difference.Tensors, tensor => tensor.Kind == "first_moments" && !tensor.IsEqual);
        Assert.Equal(("4", "0"), difference.Fields.Where(field => field.Field == "step").Select(field => (field.First!, field.Second!)).Single());
        Assert.Empty(Directory.GetFiles(Path.Combine(_root, "source"), "use-*", SearchOption.AllDirectories));

        // From then on the source is of no further use to it.
        Directory.Delete(Path.Combine(_root, "source"), recursive: true);
        var again = await SucceedAsync(tuned with { Attempt = 2, Steps = 5 });
        Assert.Equal(3, again.OfType<RankEvent.Training>().First().FromStep);
    }

    [Fact]
    public async Task Everything_OfAnotherJob_GoesOnAsThatOneWouldHave()
    {
        await SucceedAsync(Job("whole", steps: 6));
        await SucceedAsync(Job("first", steps: 4));

        var events = await SucceedAsync(Job("second", steps: 6) with { Initialize = new InitializeAssignment(new Uri(Path.Combine(_root, "first")).AbsoluteUri, 4, "everything") });

        Assert.Equal(4, events.OfType<RankEvent.Training>().First().FromStep);
        Assert.True(Compare("whole", 6, "second", 6).IsEqual);
    }

    [Theory]
    [InlineData("everything", "seed", "keep the seed, or take the weights alone")]
    [InlineData("everything", "data", "restore the sources, or take the weights alone")]
    [InlineData("everything", "steps", "has done this job's 2 steps already; raise spec.phi.steps")]
    [InlineData("weights", "model", "has model.mlpSize 40 and this job 48; keep the model, or name another source in spec.phi.initialize")]
    [InlineData("weights", "longer", "has model.sequenceLength 24 and this job 32")]
    [InlineData("weights", "step", "holds no good checkpoint of step 3; name another source or step")]
    [InlineData("weights", "place", "nowhere' is no folder")]
    public async Task Initialize_FromWhatDoesNotFit_FailsForGoodAndSaysWhat(string what, string other, string expected)
    {
        await SucceedAsync(Job("source", steps: 4));
        var job = other switch
        {
            "seed" => Job("job", 6, change: phi => phi.Seed = 9),
            "data" => Job("job", 6, corpus: "other"),
            "steps" => Job("job", 2),
            "model" => Job("job", 6, change: phi => phi.Model!.MlpSize = 48),
            "longer" => Job("job", 6, change: phi => phi.Model!.SequenceLength = 32),
            _ => Job("job", 6),
        };

        var (code, events) = await RunAsync(job with { Initialize = new InitializeAssignment(other == "place" ? "nowhere" : "source", other == "step" ? 3 : null, what) });

        Assert.Equal(RankExitCodes.BadInput, code);
        Assert.Contains(expected, Assert.Single(events.OfType<RankEvent.Failed>()).Message, StringComparison.Ordinal);
        Assert.Empty(CheckpointStore.InFolder(Path.Combine(_root, "job")).CommittedSteps());
    }

    private CheckpointDifference Compare(string first, long firstStep, string second, long secondStep)
    {
        var (one, other) = (CheckpointStore.InFolder(Path.Combine(_root, first)), CheckpointStore.InFolder(Path.Combine(_root, second)));
        return CheckpointComparison.Of(one, one.ReadManifest(firstStep), other, other.ReadManifest(secondStep), null, CancellationToken.None);
    }

    private sealed record Run(PhiSpec Phi, string Folder, long Steps)
    {
        public int Attempt { get; init; } = 1;
        public int World { get; init; } = 1;
        public InitializeAssignment? Initialize { get; init; }
    }

    private Run Job(string folder, long steps, string corpus = "corpus", Action<PhiSpec>? change = null)
    {
        var text = Path.Combine(_root, $"{corpus}.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 200).Select(i => $"def {corpus}{i % 17}(x): return x * {i % 5}\n")));
        var phi = new PhiSpec
        {
            Model = new ModelSpec { Layers = 1, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, SequenceLength = 24 },
            Data = new DataSpec { Sources = [text] },
            Batch = new BatchSpec { Global = 1, Micro = 1 },
            Schedule = new ScheduleSpec { Linear = new LinearScheduleSpec { WarmupSteps = 1, TotalSteps = 10 } },
        };
        change?.Invoke(phi);
        return new Run(phi, folder, steps);
    }

    private async Task<List<RankEvent>> SucceedAsync(Run run)
    {
        var (code, events) = await RunAsync(run);
        Assert.True(code == RankExitCodes.Completed, $"{code}: {string.Join("; ", events.OfType<RankEvent.Failed>().Select(failed => failed.Message))}");
        return events;
    }

    /// <summary>All ranks of an attempt to their end; code and events of rank 0.</summary>
    private async Task<(int Code, List<RankEvent> Events)> RunAsync(Run run)
    {
        run.Phi.Steps = run.Steps;
        var job = TrainingJobDefaults.Apply(new TrainingJob
        {
            Spec = new TrainingJobSpec
            {
                Accelerator = new AcceleratorSpec { PerReplica = run.World },
                Phi = run.Phi,
                Checkpoint = new CheckpointSpec { Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = run.Folder } } },
            },
        });
        var master = FreeEndPoint.Next();
        var ranks = Enumerable.Range(0, run.World).Select(rank =>
        {
            var start = RankStarts.Of(rank, run.World, run.Attempt);
            return Start(start with { RunId = run.Folder, Assignment = start.Assignment with { Spec = job.Spec, MasterAddress = master.Address.ToString(), MasterPort = master.Port, Initialize = run.Initialize }, CheckpointRoot = _root, DataCache = Path.Combine(_root, "cache") });
        }).ToList();
        var outputs = await Task.WhenAll(ranks.Select(rank => rank.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)));
        await Task.WhenAll(ranks.Select(rank => rank.WaitForExitAsync(TestContext.Current.CancellationToken)));
        var code = ranks[0].ExitCode;
        ranks.ForEach(rank => rank.Dispose());
        return (code, [.. outputs[0].Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonSerializer.Deserialize<RankEvent>(line, PhiJson.Options)!)]);
    }

    private static Process Start(RankStart start)
    {
        var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "phi-trainer"), ["rank"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(start, PhiJson.Options));
        process.StandardInput.Flush();
        return process;
    }
}

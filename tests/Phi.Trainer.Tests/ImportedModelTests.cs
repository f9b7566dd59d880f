using System.Text;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;
using Phi.Collectives;
using Phi.Data.Tokenizers;
using Phi.Trainer.Ranks;
using Phi.Trainer.Ranks.Saving;
using Phi.Trainer.Sampling;
using Phi.Training.Data;
using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Trainer.Tests;

/// <summary>Weights that went out as a Hugging Face folder and came back train and sample as the originals do.</summary>
[Collection("torch")]
public sealed class ImportedModelTests : IDisposable
{
    private static readonly TrainingConfiguration Configuration = new()
    {
        Model = new ModelConfiguration { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 24 },
        GlobalBatch = 4,
        MicroBatch = 2,
        Schedule = new ConstantSchedule(0, 0, 100),
        Optimizer = new AdamW { LearningRate = 3e-3f },
        Seed = 5,
    };

    private static readonly TokenDataset Data = new(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i => $"def f{i % 17}(x): return x * {i % 5}\n"))).Select(b => (ushort)b).ToArray());

    private readonly string _root = Directory.CreateTempSubdirectory("phi imported ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    public static TheoryData<int, int, bool> Worlds => new()
    {
        // Ranks, stage, error feedback.
        { 1, 3, false },
        { 2, 3, false },
        { 2, 0, false },
        { 2, 3, true },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public void Load_OfAnImportedModel_TrainsAsTheOriginalWeightsDo(int world, int stage, bool feedback)
    {
        var configuration = Configuration with
        {
            Zero = new ZeroConfiguration { Stage = stage, RanksPerNode = 1, Gradients = feedback ? new GradientQuantization(4, 4, 512, ErrorFeedback: true) : null },
        };
        var (original, imported, folder) = (Path.Combine(_root, "original"), Path.Combine(_root, "imported"), Path.Combine(_root, "model"));
        _ = Train(configuration, original, world, steps: 3, save: true);
        Export(original, folder);
        using (var weights = HuggingFaceWeights.Open(folder))
        {
            HuggingFaceImport.Write(weights, imported, new ImportOptions { Shards = stage == 0 ? 1 : world, Seed = 5, Alignment = feedback ? 512 : 256 }, TimeProvider.System, null, CancellationToken.None);
        }

        var expected = Train(configuration, original, world, steps: 4, prepare: Forget);
        var losses = Train(configuration, imported, world, steps: 4);

        Assert.Equal(expected, losses);
        Assert.NotEqual(Train(configuration, Path.Combine(_root, "none"), world, steps: 4), losses);
    }

    [Fact]
    public void Load_OfOtherData_NamesBoth()
    {
        var root = Path.Combine(_root, "run");
        _ = Train(Configuration, root, 1, steps: 1, save: true);

        var data = Assert.Throws<InvalidOperationException>(() => Train(Configuration, root, 1, steps: 1, data: "others"));

        Assert.Contains("trained on data of the digest data and data.sources make others", data.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithoutATokenizersFiles_TakesThemForBytesIfTheVocabularyIs()
    {
        var other = Configuration with { Model = Configuration.Model with { VocabularySize = 300 } };
        foreach (var (configuration, root) in new[] { (Configuration, Path.Combine(_root, "bytes")), (other, Path.Combine(_root, "other")) })
        {
            _ = Train(configuration, root, 1, steps: 1, save: true);
            File.Delete(Path.Combine(root, "step-00000001/phi_tokenizer.json"));
        }

        var error = new StringWriter();
        var before = Console.Error;
        Console.SetError(error);
        try
        {
            Assert.Equal(7, Sample(new SampleOptions { Checkpoint = Path.Combine(_root, "other") }).Code);
        }
        finally
        {
            Console.SetError(before);
        }

        Assert.Contains("has no vocab.json and merges.txt", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Sample(new SampleOptions { Checkpoint = Path.Combine(_root, "bytes"), Tokens = 1 }).Code);
        _ = Train(other, Path.Combine(_root, "other"), 1, steps: 1, tokenizer: Bpe());
        Assert.Contains("another tokenizer (bytes)", Assert.Throws<InvalidOperationException>(() => Train(Configuration, Path.Combine(_root, "bytes"), 1, steps: 1, tokenizer: Bpe())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FromCheckpointRootAndExportedFolder_PrintsTheSameText()
    {
        var (root, folder) = (Path.Combine(_root, "run"), Path.Combine(_root, "model"));
        _ = Train(Configuration, root, 2, steps: 2, save: true);
        Export(root, folder);

        var fromRoot = Sample(new SampleOptions { Checkpoint = root, Prompt = "def é", Tokens = 40 });
        var fromStep = Sample(new SampleOptions { Checkpoint = Path.Combine(root, "step-00000002") + "/", Prompt = "def é", Tokens = 40 });
        var fromFolder = Sample(new SampleOptions { HuggingFace = folder, Prompt = "def é", Tokens = 40 });

        Assert.Equal(0, fromRoot.Code);
        Assert.StartsWith("def é", fromRoot.Text, StringComparison.Ordinal);
        Assert.True(fromRoot.Text.Length > 20, fromRoot.Text);
        Assert.Equal((fromRoot, fromRoot), (fromStep, fromFolder));
    }

    [Fact]
    public void Run_OfWhatCannotBe_EndsWithTheCodeOfItsKind()
    {
        Assert.Equal(2, Sample(new SampleOptions { Tokens = 0 }).Code);
        Assert.Equal(2, Sample(new SampleOptions { Checkpoint = _root, PromptFile = Path.Combine(_root, "none") }).Code);
        Assert.Equal(7, Sample(new SampleOptions { Checkpoint = _root }).Code);
        Assert.Equal(7, Sample(new SampleOptions { HuggingFace = _root }).Code);
    }

    [Fact]
    public void Validate_ManyBadOptions_NamesEachOne()
    {
        var error = Assert.Throws<ArgumentException>(() => new SampleOptions { Checkpoint = "a", HuggingFace = "b", Prompt = "x", PromptFile = "y", Tokens = -1, Sampling = new() { TopP = 2 } }.Validate());

        Assert.All(["either --checkpoint or --from-hf", "--prompt and --prompt-file", "--tokens -1", "--top-p 2"], expected => Assert.Contains(expected, error.Message, StringComparison.Ordinal));
    }

    private TokenizerFiles Bpe()
    {
        var trainer = new BpeTrainer();
        trainer.Add("low lower lowest"u8);
        trainer.Write(260, Path.Combine(_root, "bpe"), _ => { }, CancellationToken.None);
        return TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, Path.Combine(_root, "bpe"));
    }

    private static (int Code, string Text) Sample(SampleOptions options)
    {
        using var output = new StringWriter();
        return (SampleProgram.Run(options, output), output.ToString());
    }

    private static void Export(string root, string folder)
    {
        var (store, manifest) = CheckpointLocation.Find(root, (_, problem) => Assert.Fail(problem.Message));
        using var weights = new CheckpointWeights(store, manifest);
        HuggingFaceExport.Write(weights, manifest.Step, folder, WeightType.F32, 20_000, null, CancellationToken.None);
    }

    /// <summary>Keeps the weights alone, as an import does.</summary>
    private static void Forget(TrainingLoop loop)
    {
        loop.CompletedSteps = 0;
        foreach (var state in loop.State().Tensors.Where(state => !state.Name.EndsWith(".weights", StringComparison.Ordinal)))
        {
            Clear(state);
        }
    }

    private static unsafe void Clear(StateTensor state) => new Span<float>((float*)state.Values, checked((int)state.Length)).Clear();

    /// <summary>Losses from the newest checkpoint below the root on; every rank on a thread of its own.</summary>
    private static float[] Train(TrainingConfiguration configuration, string root, int world, int steps, bool save = false, Action<TrainingLoop>? prepare = null, string data = "data", TokenizerFiles? tokenizer = null)
    {
        var losses = new float[steps];
        Exception? failure = null;
        var threads = InProcessGroup.Create(world).Select((group, rank) => new Thread(() =>
        {
            try
            {
                using var loop = new TrainingLoop(configuration, group, Data);
                var checkpoints = new RankCheckpoints(CheckpointStore.InFolder(root), null, group, loop, RankStarts.Of(rank, world), new CheckpointMatch(configuration, tokenizer ?? TokenizerFiles.Bytes, data), 1, TimeProvider.System);
                checkpoints.Load(problem => throw new InvalidOperationException(problem));
                prepare?.Invoke(loop);
                for (var step = 0; step < steps; step++)
                {
                    losses[step] = loop.Step().Loss;
                }

                if (save)
                {
                    using var leave = new LeaveRequest(TimeProvider.System);
                    using var saver = new RankSaver(checkpoints, group, loop, _ => { }, _ => { }, TimeProvider.System);
                    saver.SaveNow(leave);
                }
            }
            catch (Exception e)
            {
                failure ??= e;
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failure is null ? losses : throw new InvalidOperationException(failure.Message, failure);
    }
}

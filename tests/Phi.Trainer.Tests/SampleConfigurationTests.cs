using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;
using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Trainer.Tests;

/// <summary>What the ranks of the manifests in operators/samples compute: the published recipes.</summary>
public sealed class SampleConfigurationTests
{
    [Fact]
    public void Phi1_IsThePublishedPreTraining()
    {
        var configuration = Configuration("phi-1");

        Assert.Equal((24, 2048, 32, 32, 8192, 51200, 2048), Dimensions(configuration));
        Assert.Equal((1024, 8, 0.1, ComputePrecision.Bf16), (configuration.GlobalBatch, configuration.MicroBatch, configuration.Dropout, configuration.Precision));
        Assert.Equal((1e-3f, 0.1f), (configuration.Optimizer.LearningRate, configuration.Optimizer.WeightDecay));
        Assert.Equal((1, 0), (Math.Round(configuration.Schedule.Factor(749), 3), Math.Round(configuration.Schedule.Factor(36000), 3)));
        // A third of the way down is left at step 24,000 of 36,000.
        Assert.Equal(12000 / 35250f, configuration.Schedule.Factor(24000), 1e-3);
    }

    [Fact]
    public void Finetune_IsThePublishedFineTuning()
    {
        var configuration = Configuration("phi-1-finetune");

        Assert.Equal(Dimensions(Configuration("phi-1")), Dimensions(configuration));
        Assert.Equal((256, 1e-4f, 0.01f), (configuration.GlobalBatch, configuration.Optimizer.LearningRate, configuration.Optimizer.WeightDecay));
        Assert.Equal(1f, configuration.Schedule.Factor(49), 1e-5);
        Assert.Equal(6000, Spec("phi-1-finetune").Phi!.Steps);
    }

    [Fact]
    public void Small_IsThePublishedSmallModel() => Assert.Equal((20, 1024, 16, 32, 4096, 51200, 2048), Dimensions(Configuration("phi-1-small")));

    [Fact]
    public void FourNodes_HasAllOfZeroPlusPlusAndTheSameBatch()
    {
        var configuration = Configuration("phi-1-4-nodes");

        Assert.Equal(new ZeroConfiguration { RanksPerNode = 8, WeightBlock = 256, SecondaryShards = true, Gradients = new GradientQuantization(ErrorFeedback: true) }, configuration.Zero);
        Assert.Equal(Configuration("phi-1").GlobalBatch, configuration.GlobalBatch);
    }

    private static (int, int, int, int, int, int, int) Dimensions(TrainingConfiguration of) =>
        (of.Model.Layers, of.Model.HiddenSize, of.Model.Heads, of.Model.RotaryDim, of.Model.MlpSize, of.Model.VocabularySize, of.Model.SequenceLength);

    private static TrainingConfiguration Configuration(string sample) => Spec(sample) is var spec ? RankConfiguration.Of(spec, spec.Accelerator!.PerReplica!.Value) : throw new InvalidOperationException(sample);

    private static TrainingJobSpec Spec(string sample)
    {
        var manifest = JobManifest.Parse(File.ReadAllText(Path.Combine(Repository.Root, "operators", "samples", $"{sample}.yaml")));
        return TrainingJobDefaults.Apply(new TrainingJob { Metadata = new ObjectMeta { Name = sample, Namespace = "default", Uid = "12345678" }, Spec = manifest.Spec() }).Spec;
    }
}

using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;

namespace Phi.Api.Tests;

/// <summary>The closed formula of 16-bit ZeRO-3's bytes against cases worked out by hand, and what a job's traffic is against it.</summary>
public sealed class ZeroTrafficTests
{
    /// <summary>
    /// h 16, m 32, v 64: embedding 1024 matrix elements; a layer 4·256 + 2·512 = 2048 and 7·16 + 32 = 144 vector elements; head 1024 and
    /// 2·16 + 64 = 96. With 4 ranks the shards are 256 elements (512 bytes), 512 + 36 (1024 and 72, rounded up to 80, bytes: 1104), 256 + 24 (560 bytes).
    /// </summary>
    private static readonly ModelSpec Model = new() { Layers = 5, HiddenSize = 16, Heads = 2, RotaryDim = 4, MlpSize = 32, VocabularySize = 64, SequenceLength = 8 };

    [Fact]
    public void SixteenBit_OnePass_IsGathersAndReductionsOfEveryShard()
    {
        // Embedding and head: a gather and a reduction; layers: 5 forward, 3 backward (two are still in place), 5 reductions.
        const long Shards = 2 * (512 + 560) + 13 * 1104;

        Assert.Equal(new ZeroTraffic(4 * 1 * 2 * Shards, 4 * 1 * Shards), ZeroTraffic.SixteenBit(Model, 2, 2, 1));
    }

    [Fact]
    public void SixteenBit_ThreePasses_GatherLayersAnewInEachDirection()
    {
        // Layers: 5, then 3 backward, 3 forward, 3 backward, 3 forward, 3 backward; 15 reductions.
        const long Shards = 4 * (512 + 560) + 35 * 1104;

        Assert.Equal(new ZeroTraffic(8 * Shards, 4 * Shards), ZeroTraffic.SixteenBit(Model, 2, 2, 3));
    }

    [Fact]
    public void SixteenBit_OneNode_MovesNothingAcross()
    {
        const long Shards = 2 * (512 + 560) + 13 * 1104;

        Assert.Equal(new ZeroTraffic(4 * 3 * Shards, 0), ZeroTraffic.SixteenBit(Model, 1, 4, 1));
    }

    [Fact]
    public void SixteenBit_OneRankPerNode_MovesNothingWithin()
    {
        const long Shards = 2 * (512 + 560) + 13 * 1104;

        Assert.Equal(new ZeroTraffic(0, 4 * 3 * Shards), ZeroTraffic.SixteenBit(Model, 4, 1, 1));
    }

    [Fact]
    public void SixteenBit_SizesThatDoNotDivide_CountTheirPadding()
    {
        // 3 ranks: 1024 / 3 = 342 → 512 elements; 2048 / 3 = 683 → 768 and 48; 512 and 32.
        const long Shards = 2 * (1024 + 1088) + 13 * 1632;

        Assert.Equal(new ZeroTraffic(3 * 2 * Shards, 0), ZeroTraffic.SixteenBit(Model, 1, 3, 1));
    }

    [Fact]
    public void SixteenBit_DeepModel_NearsThreeTimesTheParameters()
    {
        var model = ModelPresets.Find("phi-1")!;
        const double Parameters = 24 * (4.0 * 2048 * 2048 + 2.0 * 2048 * 8192 + 7 * 2048 + 8192) + 2 * 51200.0 * 2048 + 2 * 2048 + 51200;

        var across = ZeroTraffic.SixteenBit(model, 2, 8, 1).AcrossNodes;

        // Each of two nodes receives what the other's shards hold, half the model, three times: 2 bytes × 3 × parameters in all.
        Assert.InRange(across / (2 * 3 * Parameters), 0.90, 1.0);
    }

    [Fact]
    public void Of_TwoNodes_ComparesBytesAcrossThem()
    {
        var baseline = ZeroTraffic.SixteenBit(Model, 2, 2, 2);

        var saving = ZeroSaving.Of(Spec(2, 2), withinNodes: 1, acrossNodes: baseline.AcrossNodes / 3.9)!;

        Assert.True(saving.IsAcrossNodes);
        Assert.Equal(3.9, saving.Factor, 6);
        Assert.Equal("3.9× fewer bytes across nodes than 16-bit ZeRO-3", saving.ToString());
    }

    [Fact]
    public void Of_OneNode_ComparesBytesWithinIt()
    {
        var baseline = ZeroTraffic.SixteenBit(Model, 1, 4, 2);

        Assert.Equal("2.0× more bytes within the node than 16-bit ZeRO-3", ZeroSaving.Of(Spec(1, 4), 2 * baseline.WithinNodes, 0)!.ToString());
        Assert.Equal("as many bytes within the node as 16-bit ZeRO-3", ZeroSaving.Of(Spec(1, 4), baseline.WithinNodes, 0)!.ToString());
    }

    [Fact]
    public void Of_NothingToCompare_IsNull()
    {
        var container = Spec(2, 2);
        (container.Phi, container.Container) = (null, new ContainerSpec { Image = "image" });
        var stage2 = Spec(2, 2);
        stage2.Zero!.Stage = 2;

        Assert.Null(ZeroSaving.Of(Spec(2, 2), 5, 0));
        Assert.Null(ZeroSaving.Of(Spec(1, 1), 5, 5));
        Assert.Null(ZeroSaving.Of(container, 5, 5));
        Assert.Null(ZeroSaving.Of(stage2, 5, 5));
    }

    [Fact]
    public void Techniques_AreThoseThatAreOn()
    {
        var spec = Spec(2, 2);
        spec.Zero!.QuantizedWeights = new QuantizedWeightsSpec();
        spec.Zero.HierarchicalPartitioning = new HierarchicalPartitioningSpec { Enabled = false };
        spec.Zero.QuantizedGradients = new QuantizedGradientsSpec { IntraBits = 4, ErrorFeedback = true };

        Assert.Equal(["qwZ (INT8)", "qgZ (INT4 within nodes, INT4 across, error feedback)"], ZeroSaving.Techniques(TrainingJobDefaults.Apply(new TrainingJob { Spec = spec }).Spec.Zero!));
    }

    private static TrainingJobSpec Spec(int replicas, int perReplica) => new()
    {
        Replicas = replicas,
        Accelerator = new AcceleratorSpec { PerReplica = perReplica },
        Phi = new PhiSpec { Model = Model, Batch = new BatchSpec { Global = 8, Micro = 1 } },
        Zero = new ZeroSpec { Stage = 3 },
    };
}

using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;
using Phi.Planning.Shapes;
using Phi.Planning.Steps;

namespace Phi.Planning.Tests;

/// <summary>The engine's own counters are held against these bytes in Phi.Training.Tests.</summary>
public sealed class StepTrafficTests
{
    [Theory]
    [InlineData(1, 8, 1)]
    [InlineData(4, 8, 1)]
    [InlineData(4, 8, 7)]
    [InlineData(48, 8, 16)]
    public void Of_SixteenBitStage3_IsTheClosedFormula(int nodes, int perNode, int passes)
    {
        var job = Jobs.Shape with { Ranks = nodes * perNode, RanksPerNode = perNode, GroupSize = perNode, MicroBatch = 1, GlobalBatch = nodes * perNode * passes };

        var traffic = StepTraffic.Of(job);

        Assert.Equal(ZeroTraffic.SixteenBit(ModelPresets.Find("phi-1")!, nodes, perNode, passes), new ZeroTraffic(traffic.WithinNodes, traffic.AcrossNodes));
    }

    /// <summary>arXiv 2306.10209, section 3: 3 M to 0.75 M. The ring of slots spares ZeRO-3 the second gather of two layers of the 24.</summary>
    [Fact]
    public void Of_ZeroPlusPlus_IsAFourthOfZero3AcrossNodes()
    {
        var job = Jobs.Shape with { GlobalBatch = 256, MicroBatch = 8 };

        var ratio = StepTraffic.Of(Jobs.PlusPlus(job)).AcrossNodes / (double)StepTraffic.Of(job).AcrossNodes;

        Assert.InRange(ratio, 0.25, 0.29);
    }

    /// <summary>Groups within a node cross no network; groups of several nodes do.</summary>
    [Fact]
    public void Of_GroupsThatAreNoNodes_CountsWhatCrossesNodesAlone()
    {
        var job = Jobs.Shape with { Ranks = 16, RanksPerNode = 16, SecondaryShards = true };

        Assert.Equal(0, StepTraffic.Of(job with { GroupSize = 4 }).AcrossNodes);
        Assert.True(StepTraffic.Of(job with { RanksPerNode = 4, GroupSize = 8 }).AcrossNodes > 0);
        Assert.Equal(Total(job with { RanksPerNode = 4, GroupSize = 8 }), Total(job with { RanksPerNode = 16, GroupSize = 8 }));

        static long Total(JobShape shape) => StepTraffic.Of(shape) is var traffic ? traffic.AcrossNodes + traffic.WithinNodes : 0;
    }
}

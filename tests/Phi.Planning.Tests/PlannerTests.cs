using Phi.Api.TrainingJobs;
using Phi.Planning.Hardware;
using Phi.Planning.Reports;

namespace Phi.Planning.Tests;

public sealed class PlannerTests
{
    /// <summary>arXiv 2306.11644, section 2.3: phi-1-base, in less than 4 days on 8 A100; 770 hours.</summary>
    private const double PublishedHours = 770;

    [Fact]
    public void Plan_OfPhi1_IsNearThePublishedHours()
    {
        var plan = Planner.Plan(Jobs.Sample("phi-1.yaml"), Jobs.A100(), new PlanOptions());

        Assert.InRange(plan.AcceleratorHours!.Value, 0.9 * PublishedHours, 1.1 * PublishedHours);
        Assert.Equal(1_418_270_720, plan.Parameters);
        Assert.True(plan.Memory!.Fits);
        Assert.Empty(plan.Remedies);
    }

    /// <summary>Whatever of the published shares is taken: it depends on what is counted.</summary>
    [Theory]
    [InlineData(0.46)]
    [InlineData(0.49)]
    public void Plan_OfPhi1AtThePublishedUtilization_IsNearThePublishedHours(double utilization)
    {
        var machine = Jobs.A100();
        var plan = Planner.Plan(Jobs.Sample("phi-1.yaml"), machine with { Accelerator = machine.Accelerator with { Utilization = utilization } }, new PlanOptions());

        Assert.InRange(plan.AcceleratorHours!.Value, 0.9 * PublishedHours, 1.1 * PublishedHours);
    }

    [Fact]
    public void Plan_OfAMicroBatchThatDoesNotFit_SaysWhatWould()
    {
        var job = Jobs.Sample("phi-1.yaml");
        job.Spec.Phi!.Batch!.Micro = 32;

        var plan = Planner.Plan(job, Jobs.A100(), new PlanOptions());

        Assert.False(plan.Memory!.Fits);
        Assert.Contains(plan.Remedies, remedy => remedy.Name == "phi.batch.micro=8");
        Assert.Contains(plan.Remedies, remedy => remedy.Name.Contains("activationCheckpointing=full", StringComparison.Ordinal));
        Assert.All(plan.Remedies, remedy => Assert.True(remedy.Fits));
        Assert.Equal(plan.Remedies.OrderBy(remedy => remedy.AcceleratorHours), plan.Remedies);
    }

    [Fact]
    public void Plan_OnASlowNetwork_SaysWhatEachTechniqueIsWorth()
    {
        var plan = Planner.Plan(Jobs.Sample("phi-1-4-nodes.yaml"), Jobs.A100(5), new PlanOptions());

        var by = plan.Techniques.ToDictionary(technique => technique.Name);
        Assert.Equal(["ZeRO-3", "qwZ", "hpZ", "qgZ", "ZeRO++"], plan.Techniques.Select(technique => technique.Name));
        Assert.All(plan.Techniques, technique => Assert.True(technique.StepSeconds <= by["ZeRO-3"].StepSeconds));
        Assert.True(by["ZeRO++"].StepSeconds < 0.6 * by["ZeRO-3"].StepSeconds);
        Assert.True(by["ZeRO++"].AcrossNodesBytes < 0.27 * by["ZeRO-3"].AcrossNodesBytes);
        Assert.True(by["hpZ"].MemoryBytes > by["ZeRO-3"].MemoryBytes);
    }

    [Fact]
    public void Plan_OfAContainer_KnowsItsSizeAlone()
    {
        var job = Jobs.Sample("pytorch-ddp.yaml");
        job.Spec.ActiveDeadlineSeconds = 3600;

        var plan = Planner.Plan(job, Jobs.A100(), new PlanOptions());

        Assert.Equal("container", plan.Kind);
        Assert.Equal(16, plan.Accelerators);
        Assert.Equal(16, plan.AcceleratorHours);
        Assert.Null(plan.Memory);
    }

    [Fact]
    public void Plan_WithoutFiguresOfTheAccelerator_HasMemoryAndTrafficButNoTimes()
    {
        var plan = Planner.Plan(Jobs.Sample("phi-1-4-nodes.yaml"), machine: null, new PlanOptions());

        Assert.True(plan.Memory!.TotalBytes > 0);
        Assert.Null(plan.Memory.Fits);
        Assert.True(plan.Traffic!.AcrossNodes > 0);
        Assert.Null(plan.AcceleratorHours);
        Assert.Contains(plan.Assumptions, assumption => assumption.Contains("--tflops", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_WhoseVocabularyIsTheTokenizers_SaysWhatToGive()
    {
        var job = Jobs.Sample("phi-tiny.yaml");
        job.Spec.Phi!.Model!.VocabularySize = null;

        var plan = Planner.Plan(job, Jobs.A100(), new PlanOptions());

        Assert.Null(plan.Memory);
        Assert.Contains(plan.Assumptions, assumption => assumption.Contains("vocabularySize", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nvidia-a100-80gb", 80)]
    [InlineData("nvidia-a100-sxm4-40gb", 40)]
    [InlineData("nvidia-h100-80gb-hbm3", 80)]
    [InlineData("nvidia-h200", 141)]
    [InlineData("tesla-v100-sxm2-16gb", 16)]
    [InlineData("nvidia-l40s", 48)]
    public void Find_NamesThatNodesCarry_AreKnown(string name, int gibibytes)
    {
        Assert.Equal((long)gibibytes << 30, AcceleratorCatalog.Find(name)!.MemoryBytes);
        Assert.Equal(name, AcceleratorCatalog.Find(name)!.Name);
    }

    [Theory]
    [InlineData("nvidia-a1000")]
    [InlineData("tpu-v5p")]
    [InlineData("")]
    public void Find_OtherNames_AreNot(string name) => Assert.Null(AcceleratorCatalog.Find(name));

    [Fact]
    public void Usual_OfAJob_IsValidAndNamedOnce()
    {
        var names = Alternatives.Usual(Jobs.Shape).Select(alternative => alternative.Name).ToList();

        Assert.Equal(names.Distinct(), names);
        Assert.Equal("as it is", names[0]);
        Assert.Contains("zero.stage=0", names);
        Assert.Contains("phi.batch.micro=4", names);
    }

    [Fact]
    public void Utilization_OfAJobThatRuns_IsThePlansWhereItIsAsFast()
    {
        var plan = Planner.Plan(Jobs.Sample("phi-1.yaml"), Jobs.A100(), new PlanOptions());

        Assert.Equal(plan.Step!.Mfu, plan.Step.TokensPerSecond / Utilization.PeakOfAPod(Jobs.Sample("phi-1.yaml"))!.Value, 1e-9);
        Assert.Null(Utilization.PeakOfAPod(Jobs.Sample("phi-tiny.yaml")));
        Assert.Null(Utilization.PeakOfAPod(Jobs.Sample("pytorch-ddp.yaml")));
    }

    [Fact]
    public void Plan_WithFailures_ProposesAnInterval()
    {
        var plan = Planner.Plan(Jobs.Sample("phi-1-4-nodes.yaml"), Jobs.A100(), new PlanOptions { NodeMeanTimeBetweenFailures = TimeSpan.FromHours(200) });

        var goodput = plan.Goodput!;
        Assert.Equal(50, goodput.MeanTimeBetweenFailuresHours);
        Assert.Equal(500, goodput.Planned.EverySteps);
        Assert.True(goodput.Best.Goodput >= goodput.Planned.Goodput);
        Assert.InRange(goodput.Best.Goodput, 0.9, 1);
        Assert.Contains(goodput.Best, goodput.Curve);
    }
}

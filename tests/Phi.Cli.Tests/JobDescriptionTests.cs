using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Description;
using Phi.Cli.Queues;

namespace Phi.Cli.Tests;

/// <summary><c>phi describe</c>, from objects to what is printed.</summary>
public sealed class JobDescriptionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Write_AJobThatWasInterrupted_TellsAllThatIsKnown()
    {
        var text = Write(Job(), [new DescribedEvent("Warning", "RankLost", "rank 1\nis gone", 3, Now.AddSeconds(-30))]);

        string[] lines =
        [
            "Name:           phi",
            "Gang:           2 pods × 4 cpu, at least 1 pods",
            "Trains:         phi-tiny, 300 steps, seed 1, fp32, ZeRO stage 3",
            "State:          Running",
            "Step:           10 of 300",
            "Loss:           2.5000, at first 5.0000",
            "Waits for:      team/other",
            "Attempt:        2: 1 charged restarts, 0 free ones",
            "  1        120s  RankFailed  yes      12    10            2           rank 1 ended with 1",
            "Newest saved:   step 10, 60s ago, 4 in all",
            "                phi checkpoint ls job/phi -n team lists them",
            "Goodput:        90.0 %, 90 s productive",
            "Lost:           recovering 8 s, queued 2 s",
            "  phi-0  node-0  -",
            "  Warning  RankLost  30s  3      rank 1 is gone",
        ];
        Assert.All(lines, line => Assert.Contains($"\n{line}\n", "\n" + text, StringComparison.Ordinal));
    }

    [Fact]
    public void Write_AJobThatNobodyHasSeen_IsPendingAndHasNoEmptyBlocks()
    {
        var text = Write(new TrainingJob { Metadata = new ObjectMeta { Name = "new", Namespace = "team" } }, [], why: null);

        Assert.Contains("State:          Pending\n", text, StringComparison.Ordinal);
        Assert.Contains("Waits for:      unknown: the queues may not be read by this user\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Events", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Interruptions", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AnEventInEitherForm_IsItsCountAndLastTime()
    {
        var series = DescribedEvent.Of(JsonNode.Parse("""{"type": "Normal", "reason": "R", "message": "m", "count": 2, "lastTimestamp": "2026-01-01T00:00:00Z", "series": {"count": 7, "lastObservedTime": "2026-01-01T01:00:00Z"}}""")!.AsObject());
        var single = DescribedEvent.Of(JsonNode.Parse("""{"reason": "R", "eventTime": "2026-01-01T00:00:00Z"}""")!.AsObject());

        Assert.Equal((7, Now.AddHours(-23)), (series.Count, series.Last));
        Assert.Equal((1, Now.AddHours(-24)), (single.Count, single.Last));
    }

    private static string Write(TrainingJob job, IReadOnlyList<DescribedEvent> events, string? why = "team/other")
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var report = why is null ? null : new WhyReport { Job = "team/phi", State = "Running", Reason = "Training", Message = "it trains", WaitsFor = why, Usage = [] };
        JobDescription.Write(new DescribedJob(job, report, events), Now, text);
        return text.ToString();
    }

    private static TrainingJob Job() => new()
    {
        Metadata = new ObjectMeta { Name = "phi", Namespace = "team", Uid = "u", CreationTimestamp = Now.AddMinutes(-10) },
        Spec = new TrainingJobSpec { Replicas = 2, MinReplicas = 1, Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 4 }, Phi = new PhiSpec { Model = new ModelSpec { Preset = "phi-tiny" }, Steps = 300 } },
        Status = new TrainingJobStatus
        {
            Phase = TrainingPhase.Running,
            Ready = "2/2",
            Attempt = 2,
            Restarts = 1,
            Progress = new ProgressStatus { Step = 10, TotalSteps = 300, Loss = 2.5, FirstLoss = 5 },
            Interruptions = [new InterruptionStatus { Attempt = 1, Time = Now.AddSeconds(-119.6), Reason = "RankFailed", Message = "rank 1 ended with 1", Charged = true, Step = 12, ResumeStep = 10, LostSteps = 2 }],
            Checkpoint = new CheckpointStatus { Step = 10, Time = Now.AddMinutes(-1), Count = 4, Uri = "file:///checkpoints/phi" },
            Goodput = new GoodputStatus { Ratio = 0.9, ProductiveSeconds = 90, LostSeconds = new Dictionary<string, double> { ["queued"] = 2, ["recovering"] = 8, ["lost"] = 0 } },
            Placement = [new PlacementStatus { Pod = "phi-0", Node = "node-0" }],
        },
    };
}

using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Actions;

namespace Phi.Dashboard.Tests.Actions;

public sealed class ResubmissionTests
{
    [Fact]
    public void Manifest_OfAJob_HasWhatItsUserWroteAndNothingOfTheCluster()
    {
        var job = Job("train");
        job.Spec.Suspend = false;
        job.Metadata.Labels = new() { ["team"] = "research", ["phi-orchestrator.io/cron-name"] = "nightly" };
        job.Metadata.Annotations = new() { ["kubectl.kubernetes.io/last-applied-configuration"] = "{}" };

        Assert.Equal(
            """
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata:
              name: train
              labels:
                team: research
            spec:
              replicas: 2
              phi:
                steps: 300

            """,
            YamlText.Write(Resubmission.Manifest(job)));
    }

    [Theory]
    [InlineData("train", "train-2")]
    [InlineData("train-3", "train-4")]
    [InlineData("train-2-b", "train-2-b-2")]
    public void Of_AName_TakesTheNextThatIsFree(string name, string expected) =>
        Assert.Equal(expected, (string?)Resubmission.Of(Job(name), null, candidate => candidate is "train-3" || (name == "train-3" && candidate == "train-2"))["metadata"]!["name"]);

    [Fact]
    public void Of_ALongName_StaysAName()
    {
        var name = (string?)Resubmission.Of(Job(new string('a', 62) + "b"), null, _ => false)["metadata"]!["name"];

        Assert.Equal(new string('a', 61) + "-2", name);
    }

    [Theory]
    [InlineData(150, "everything")]
    [InlineData(300, "weights")]
    public void Of_ACheckpoint_GoesOnFromItOrTakesItsWeights(long step, string what)
    {
        var initialize = Resubmission.Of(Job("train"), step, _ => false)["spec"]!["phi"]!["initialize"]!;

        Assert.Equal("train", (string?)initialize["from"]!["job"]);
        Assert.Equal(step, (long?)initialize["step"]);
        Assert.Equal(what, (string?)initialize["what"]);
    }

    private static TrainingJob Job(string name) => new()
    {
        Metadata = new() { Name = name, Namespace = "default", Uid = "uid" },
        Spec = new() { Replicas = 2, Phi = new() { Steps = 300 } },
        Status = new() { Phase = TrainingPhase.Running },
    };
}

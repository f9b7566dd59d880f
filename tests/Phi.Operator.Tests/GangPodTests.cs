using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Execute;

namespace Phi.Operator.Tests;

/// <summary>What a pod of the trainer is given.</summary>
public sealed class GangPodTests
{
    /// <summary>A job goes on from its own checkpoint once it has one, even if what it began with is gone.</summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData(40, true)]
    public void Pod_BeginningWithBlobs_NeedsTheirSecretUntilItHasACheckpointOfItsOwn(int? checkpoint, bool isOptional)
    {
        var job = TrainingJobDefaults.Apply(new TrainingJob
        {
            Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222" },
            Spec = new TrainingJobSpec
            {
                Replicas = 1,
                Phi = new PhiSpec { Initialize = new InitializeSpec { From = new InitializeSourceSpec { AzureBlob = new AzureBlobStoreSpec { Account = "models", Container = "checkpoints", SecretName = "source-key" } } } },
            },
            Status = new TrainingJobStatus { Attempt = 2, Checkpoint = checkpoint is { } step ? new CheckpointStatus { Step = step } : null },
        });

        var variables = GangPod.Pod(job, 0, "job-0", 2, new OperatorAddress("https://operator", "authority"))["spec"]!["containers"]![0]!["env"]!.AsArray();

        var secret = variables.Single(variable => (string?)variable!["name"] == PhiEnvironment.InitializeConnectionString)!["valueFrom"]!["secretKeyRef"]!;
        Assert.Equal(("source-key", "connectionString", isOptional), ((string?)secret["name"], (string?)secret["key"], (bool?)secret["optional"] == true));
    }

    [Fact]
    public void Pod_OfAnyJob_HasADiskForEventsThatTheOperatorHasNotTaken()
    {
        var job = TrainingJobDefaults.Apply(new TrainingJob { Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222" }, Spec = new TrainingJobSpec { Replicas = 1, Phi = new PhiSpec() } });

        var pod = GangPod.Pod(job, 0, "job-0", 1, new OperatorAddress("https://operator", "authority"))["spec"]!;

        var container = pod["containers"]![0]!;
        var folder = (string?)container["env"]!.AsArray().Single(variable => (string?)variable!["name"] == PhiEnvironment.EventFolder)!["value"];
        Assert.Equal(folder, (string?)container["volumeMounts"]!.AsArray().Single(mount => (string?)mount!["name"] == PhiNames.EventVolume)!["mountPath"]);
        Assert.Equal("{}", pod["volumes"]!.AsArray().Single(volume => (string?)volume!["name"] == PhiNames.EventVolume)!["emptyDir"]!.ToJsonString());
    }
}

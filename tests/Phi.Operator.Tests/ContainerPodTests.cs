using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Execute;

namespace Phi.Operator.Tests;

/// <summary>Pods of the user's own program: what torchrun and DeepSpeed find in them.</summary>
public sealed class ContainerPodTests
{
    [Fact]
    public void Turn_SecondPodOfAThirdAttempt_HasTheEnvironmentOfTorchrun()
    {
        var pod = Pod(Job(), 11, "job-a3-11", 3);

        var container = pod["spec"]!["containers"]![0]!;
        var env = Environment(pod);
        Assert.Equal(("pytorch:2", "/src"), ((string?)container["image"], (string?)container["workingDir"]));
        Assert.Equal(["python3", "train.py"], container["command"]!.AsArray().Select(part => (string)part!));
        Assert.Equal(["--lr", "1"], container["args"]!.AsArray().Select(part => (string)part!));
        Assert.Equal(("job-a3-0.job.default.svc", "29500", "12", "11"), (env["MASTER_ADDR"], env["MASTER_PORT"], env["WORLD_SIZE"], env["RANK"]));
        Assert.Equal(("12", "11", "0", "1"), (env["NNODES"], env["NODE_RANK"], env["LOCAL_RANK"], env["LOCAL_WORLD_SIZE"]));
        Assert.Equal(("12", "8", "11", "job-a3-0.job.default.svc", "29500"), (env["PET_NNODES"], env["PET_NPROC_PER_NODE"], env["PET_NODE_RANK"], env["PET_MASTER_ADDR"], env["PET_MASTER_PORT"]));
        Assert.Equal(("3", "https://operator/agent/v1/progress?namespace=default&job=job&uid=11111111-2222&attempt=3&replica=11"), (env["PHI_ATTEMPT"], env["PHI_PROGRESS_URL"]));
        Assert.Equal(("default/job-11111111", "/var/run/secrets/phi-orchestrator.io/token", "mine"), (env["PHI_CHECKPOINT_PATH"], env["PHI_AGENT_TOKEN_FILE"], env["OWN"]));
        Assert.False(env.ContainsKey("PHI_AGENT_TOKEN"));
        Assert.False(env.ContainsKey("PHI_DEEPSPEED_CONFIG"));
    }

    [Fact]
    public void Turn_BlobsWithASecret_AreNamedByAddressAndTheSecretByReference()
    {
        var pod = Pod(Job(spec => spec.Checkpoint = Blobs("blob-key")), 0, "job-0", 1);

        Assert.Equal("https://models.blob.core.windows.net/checkpoints/default/job-11111111", Environment(pod)["PHI_CHECKPOINT_PATH"]);
        var key = pod["spec"]!["containers"]![0]!["env"]!.AsArray().Single(variable => (string?)variable!["name"] == "AZURE_STORAGE_CONNECTION_STRING")!;
        Assert.Equal(("blob-key", "connectionString"), ((string?)key["valueFrom"]!["secretKeyRef"]!["name"], (string?)key["valueFrom"]!["secretKeyRef"]!["key"]));
        Assert.Null(key["value"]);
        Assert.Null(pod["metadata"]!["labels"]!["azure.workload.identity/use"]);
    }

    [Fact]
    public void Pod_BlobsWithoutASecret_HasTheServiceAccountsIdentity()
    {
        var pod = Pod(Job(spec =>
        {
            spec.Checkpoint = Blobs(null);
            spec.Template = new PodTemplateSpec { ServiceAccountName = "trainer" };
        }), 0, "job-0", 1);

        Assert.Equal(("true", "trainer"), ((string?)pod["metadata"]!["labels"]!["azure.workload.identity/use"], (string?)pod["spec"]!["serviceAccountName"]));
        Assert.DoesNotContain(pod["spec"]!["containers"]![0]!["env"]!.AsArray(), variable => (string?)variable!["name"] == "AZURE_STORAGE_CONNECTION_STRING");
    }

    [Fact]
    public void Turn_WithoutACommand_LeavesItToTheImage()
    {
        var container = Pod(Job(spec => (spec.Container!.Command, spec.Container.Args, spec.Container.WorkingDir) = (null, null, null)), 0, "job-0", 1)["spec"]!["containers"]![0]!.AsObject();

        Assert.False(container.ContainsKey("command") || container.ContainsKey("args") || container.ContainsKey("workingDir"));
    }

    [Fact]
    public void Turn_WithAZeroSection_MountsItAsDeepSpeedsConfiguration()
    {
        var job = Job(spec => spec.Zero = new ZeroSpec { QuantizedWeights = new QuantizedWeightsSpec() });

        var pod = Pod(job, 0, "job-0", 1);
        var map = ContainerPod.DeepSpeed(job);

        Assert.Equal("/etc/phi/deepspeed.json", Environment(pod)["PHI_DEEPSPEED_CONFIG"]);
        Assert.Contains(pod["spec"]!["volumes"]!.AsArray(), volume => (string?)volume!["configMap"]?["name"] == "job-deepspeed");
        Assert.Contains(pod["spec"]!["containers"]![0]!["volumeMounts"]!.AsArray(), mount => (string?)mount!["mountPath"] == "/etc/phi");
        Assert.Equal(("job-deepspeed", "11111111-2222"), ((string?)map["metadata"]!["name"], (string?)map["metadata"]!["ownerReferences"]![0]!["uid"]));
        var zero = JsonNode.Parse((string)map["data"]!["deepspeed.json"]!)!["zero_optimization"]!;
        Assert.Equal((3, true), ((int)zero["stage"]!, (bool)zero["zero_quantized_weights"]!));
    }

    [Theory]
    [InlineData(null, 0, true)]
    [InlineData(null, 1, false)]
    [InlineData("EveryReplica", 1, true)]
    public void Turn_ProgressFile_IsSharedWithASidecarInThePodsWhereItIsRead(string? reads, int index, bool hasSidecar)
    {
        var pod = Pod(Job(spec => (spec.Container!.ProgressFile, spec.Template!.Image) = (reads, "mirror/phi-trainer:1")), index, $"job-{index}", 3);

        Assert.Equal("/mnt/phi/progress.jsonl", Environment(pod)["PHI_PROGRESS_FILE"]);
        Assert.Contains(pod["spec"]!["volumes"]!.AsArray(), volume => (string?)volume!["name"] == "phi-progress" && volume["emptyDir"] is not null);
        Assert.Contains(pod["spec"]!["containers"]![0]!["volumeMounts"]!.AsArray(), mount => (string?)mount!["mountPath"] == "/mnt/phi");
        Assert.Equal(hasSidecar, pod["spec"]!["initContainers"] is not null);
        if (hasSidecar)
        {
            var sidecar = Assert.Single(pod["spec"]!["initContainers"]!.AsArray())!;
            Assert.Equal(("Always", "mirror/phi-trainer:1", "/mnt/phi"), ((string?)sidecar["restartPolicy"], (string?)sidecar["image"], (string?)sidecar["volumeMounts"]![0]!["mountPath"]));
            Assert.Equal(["phi-trainer", "progress"], sidecar["command"]!.AsArray().Concat(sidecar["args"]!.AsArray()).Select(part => (string)part!));
            var env = sidecar["env"]!.AsArray().ToDictionary(variable => (string)variable!["name"]!, variable => (string?)variable!["value"]);
            Assert.Equal(("3", "/mnt/phi/progress.jsonl", "/var/run/secrets/phi-orchestrator.io/token", $"{index}"), (env["PHI_ATTEMPT"], env["PHI_PROGRESS_FILE"], env["PHI_AGENT_TOKEN_FILE"], env["PHI_REPLICA_INDEX"]));
            Assert.Equal("/var/run/secrets/phi-orchestrator.io/ca.crt", env["PHI_OPERATOR_CA_FILE"]);
            Assert.False(env.ContainsKey("OWN"));
            Assert.Contains(sidecar["volumeMounts"]!.AsArray(), mount => (string?)mount!["mountPath"] == "/var/run/secrets/phi-orchestrator.io" && (bool?)mount["readOnly"] == true);
        }
    }

    [Fact]
    public void Turn_WithoutAProgressFile_HasTheUsersImageAlone()
    {
        var pod = Pod(Job(spec => spec.Container!.ProgressFile = "None"), 0, "job-0", 1);

        Assert.Null(pod["spec"]!["initContainers"]);
        Assert.False(Environment(pod).ContainsKey("PHI_PROGRESS_FILE"));
        Assert.DoesNotContain(pod["spec"]!["volumes"]!.AsArray(), volume => (string?)volume!["name"] == "phi-progress");
    }

    private static CheckpointSpec Blobs(string? secret) => new() { Store = new CheckpointStoreSpec { AzureBlob = new AzureBlobStoreSpec { Account = "models", Container = "checkpoints", SecretName = secret } } };

    private static JsonObject Pod(TrainingJob job, int index, string name, int attempt)
    {
        var effective = TrainingJobDefaults.Apply(job);
        var pod = GangPod.Pod(effective, index, name, attempt, new OperatorAddress("https://operator", "authority"));
        ContainerPod.Turn(pod, job, effective, index, attempt, "https://operator");
        return pod;
    }

    private static Dictionary<string, string?> Environment(JsonObject pod) =>
        pod["spec"]!["containers"]![0]!["env"]!.AsArray().ToDictionary(variable => (string)variable!["name"]!, variable => (string?)variable!["value"]);

    private static TrainingJob Job(Action<TrainingJobSpec>? change = null)
    {
        var job = new TrainingJob
        {
            Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222" },
            Spec = new TrainingJobSpec
            {
                Replicas = 12,
                Container = new ContainerSpec { Image = "pytorch:2", Command = ["python3", "train.py"], Args = ["--lr", "1"], WorkingDir = "/src" },
                Template = new PodTemplateSpec { Env = [new JsonObject { ["name"] = "OWN", ["value"] = "mine" }, new JsonObject { ["name"] = "RANK", ["value"] = "99" }] },
            },
        };
        change?.Invoke(job.Spec);
        return job;
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.EndToEnd.Tests;

/// <summary>The manifests of operators/samples for GPUs, as far as a machine without them goes: placed on simulated nodes, and trained at a size that a CPU can.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class SampleTests(TrainedCluster trained)
{
    private const int Steps = 4;

    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task GpuSamples_OnFourNodesOfEight_ArePlacedWholeAndAlone()
    {
        var nodes = Enumerable.Range(0, 4).Select(i => $"gpu-{Cluster.Namespace}-{i}").ToList();
        var processes = nodes.Select((name, i) => new JoinedProcess(
            Path.Combine(Cluster.Home, "logs", name + ".log"), "node", "--kubeconfig", Cluster.Kubeconfig, "--name", name, "--home", Path.Combine(Cluster.Work, name), "--gpus", "8", "--product", "nvidia-a100-80gb",
            "--label", $"phi-orchestrator.io/nvlink-domain=n{i}", "--label", $"topology.kubernetes.io/rack=r{i / 2}")).ToList();
        try
        {
            foreach (var sample in new[] { "phi-1", "phi-1-small", "phi-1-4-nodes", "pytorch-ddp", "deepspeed" })
            {
                var (job, name) = (Read(sample), $"gpu-{sample}");
                ((JsonObject)job["metadata"]!)["namespace"] = Cluster.Namespace;
                job["metadata"]!["name"] = name;
                // The claims are the reader's own.
                foreach (var volume in job["spec"]!["template"]!["volumes"]!.AsArray().OfType<JsonObject>())
                {
                    volume.Remove("persistentVolumeClaim");
                    volume["emptyDir"] = new JsonObject();
                }

                await Cluster.ApplyAsync(job.ToJsonString());
                var pods = (int)(long)job["spec"]!["replicas"]!;
                var placed = await Cluster.WaitForAsync(name, one => one["status"]?["placement"]?.AsArray().Count == pods, $"placement of {pods} pods");

                var on = placed["status"]!["placement"]!.AsArray().Select(place => (string)place!["node"]!).ToList();
                Assert.Equal(pods, on.Distinct().Count());
                Assert.Subset(nodes.ToHashSet(), on.ToHashSet());
                Assert.True((await Cluster.KubectlAsync("delete", "tj", name, "--wait=true", "--timeout=120s")).ExitCode == 0);
            }
        }
        finally
        {
            await Task.WhenAll(processes.Select(process => process.DisposeAsync().AsTask()));
            await Cluster.KubectlAsync(["delete", "node", .. nodes, "--ignore-not-found"]);
        }
    }

    [Theory]
    [InlineData("pytorch-ddp")]
    [InlineData("deepspeed")]
    public async Task ContainerSamples_TheirPrograms_ArePython(string sample)
    {
        var program = (string)Read(sample)["spec"]!["container"]!["args"]![0]!;

        var parsed = await CommandResult.RunAsync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], Cluster.Work, program);

        Assert.True(parsed.ExitCode == 0, parsed.ToString());
    }

    /// <summary>Its recipe (dropout, precision, schedule, ZeRO++, copies in memory, where it begins) with a small model, few steps, and the CPU's ranks.</summary>
    [Fact]
    public async Task PhiSamples_ScaledDown_Train()
    {
        var corpus = Manifests.WriteCorpus(Cluster.Work);
        // The fine-tuning begins with the pre-training's checkpoint.
        foreach (var sample in new[] { "phi-1", "phi-1-finetune", "phi-1-4-nodes", "phi-1-small" })
        {
            await Cluster.ApplyAsync(ScaledDown(Read(sample), corpus).ToJsonString());
            var job = await Cluster.WaitForSuccessAsync(sample);

            Assert.Equal(Steps, (int)job["status"]!["progress"]!["step"]!);
            Assert.Equal(Steps, (int)job["status"]!["checkpoint"]!["step"]!);
            Assert.InRange((double)job["status"]!["progress"]!["loss"]!, 0.1, 8);
        }
    }

    private static JsonObject Read(string sample) => JobManifest.Parse(File.ReadAllText(Path.Combine(Repository.Root, "operators", "samples", $"{sample}.yaml"))).Value;

    private JsonObject ScaledDown(JsonObject job, string corpus)
    {
        ((JsonObject)job["metadata"]!)["namespace"] = Cluster.Namespace;
        var spec = (JsonObject)job["spec"]!;
        var (pods, phi) = (Math.Min(2, (int)(long)spec["replicas"]!), (JsonObject)spec["phi"]!);
        spec["replicas"] = pods;
        if (spec.ContainsKey("minReplicas"))
        {
            spec["minReplicas"] = 1;
        }

        spec["accelerator"] = JsonNode.Parse("""{"type": "cpu", "perReplica": 2}""");
        spec.Remove("topology");
        spec["template"] = JsonNode.Parse("""{"terminationGracePeriodSeconds": 20}""");
        var model = (JsonObject)phi["model"]!;
        model.Remove("preset");
        foreach (var (dimension, value) in new[] { ("layers", 2), ("hiddenSize", 32), ("heads", 2), ("rotaryDim", 8), ("mlpSize", 64), ("vocabularySize", 257), ("sequenceLength", 64) })
        {
            model[dimension] = value;
        }

        phi["data"] = new JsonObject { ["sources"] = new JsonArray($"{corpus}/*.txt"), ["tokenizer"] = JsonNode.Parse("""{"bytes": {}}""") };
        phi["batch"] = new JsonObject { ["global"] = 4 * pods, ["micro"] = 1 };
        phi["steps"] = Steps;
        phi["schedule"] = JsonNode.Parse(string.Create(CultureInfo.InvariantCulture, $$$"""{"linear": {"warmupSteps": 1, "totalSteps": {{{Steps * 2}}} } }"""));
        ((JsonObject)spec["checkpoint"]!)["everySteps"] = 2;
        return job;
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.DeepSpeed;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.AgentApi;

namespace Phi.Operator.Execute;

/// <summary>
/// A gang's pod with a program of the user's instead of the built-in trainer: image, command, and the environment that torchrun and
/// torch.distributed's env:// expect (docs.pytorch.org/docs/stable/elastic/run.html). The pod holds one process, which may start others.
/// </summary>
internal static class ContainerPod
{
    private const string DeepSpeedVolume = "phi-deepspeed";
    private const string DeepSpeedFolder = "/etc/phi";
    private const string DeepSpeedFile = "deepspeed.json";

    /// <summary>Turns a pod of <see cref="GangPod"/> into one of a container job.</summary>
    /// <param name="job">As stored: only a <c>zero</c> section that the user wrote counts.</param>
    public static void Turn(JsonObject pod, TrainingJob job, TrainingJob effective, int index, int attempt, string operatorUrl)
    {
        var program = effective.Spec.Container!;
        var container = pod["spec"]!["containers"]![0]!.AsObject();
        container["image"] = program.Image;
        Set(container, "command", Texts(program.Command));
        Set(container, "args", Texts(program.Args));
        Set(container, "workingDir", program.WorkingDir);
        var own = Variables(effective, (string)pod["metadata"]!["name"]!, index, attempt, operatorUrl);
        if (HasDeepSpeed(job))
        {
            own[PhiEnvironment.DeepSpeedConfig] = $"{DeepSpeedFolder}/{DeepSpeedFile}";
            container["volumeMounts"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = DeepSpeedVolume, ["mountPath"] = DeepSpeedFolder, ["readOnly"] = true });
            pod["spec"]!["volumes"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = DeepSpeedVolume, ["configMap"] = new JsonObject { ["name"] = DeepSpeedName(job) } });
        }

        ProgressSidecar.Add(pod, effective, index, own);
        var others = container["env"]!.AsArray().OfType<JsonObject>().Where(variable => !own.ContainsKey((string?)variable["name"] ?? "")).Select(variable => variable.DeepClone());
        container["env"] = new JsonArray([.. others, .. own.Select(variable => new JsonObject { ["name"] = variable.Key, ["value"] = variable.Value })]);
    }

    public static bool HasDeepSpeed(TrainingJob job) => job.Spec is { Container: not null, Zero: not null };

    public static string DeepSpeedName(TrainingJob job) => $"{job.Metadata.Name}-deepspeed";

    /// <summary>The config map with the <c>zero</c> section as DeepSpeed's configuration.</summary>
    public static JsonObject DeepSpeed(TrainingJob job) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = GangPod.Owned(job, DeepSpeedName(job)),
        ["data"] = new JsonObject { [DeepSpeedFile] = DeepSpeedRenderer.Render(job).ToText() },
    };

    private static Dictionary<string, string> Variables(TrainingJob job, string pod, int index, int attempt, string operatorUrl)
    {
        var (replicas, perReplica) = (Text(job.Status?.Replicas ?? job.Spec.Replicas!.Value), Text(job.Spec.Accelerator!.PerReplica!.Value));
        var (rank, port) = (Text(index), Text(PhiNames.DefaultMasterPort));

        // The gang's pods differ in the index that ends their names; the headless service gives each a name in DNS.
        var master = $"{pod[..^rank.Length]}0.{job.Metadata.Name}.{job.Metadata.Namespace}.svc";
        var variables = new Dictionary<string, string>
        {
            [PhiEnvironment.MasterAddress] = master,
            [PhiEnvironment.MasterPort] = port,
            [PhiEnvironment.WorldSize] = replicas,
            [PhiEnvironment.Rank] = rank,
            [PhiEnvironment.NodeRank] = rank,
            [PhiEnvironment.NodeCount] = replicas,
            [PhiEnvironment.LocalRank] = "0",
            [PhiEnvironment.LocalWorldSize] = "1",
            ["PET_NNODES"] = replicas,
            ["PET_NPROC_PER_NODE"] = perReplica,
            ["PET_NODE_RANK"] = rank,
            ["PET_MASTER_ADDR"] = master,
            ["PET_MASTER_PORT"] = port,
            [PhiEnvironment.Attempt] = Text(attempt),
            [PhiEnvironment.ProgressUrl] = ProgressAddress.Url(operatorUrl, job, attempt, index),
        };
        if (job.Spec.Checkpoint?.Store is { } store && (store.AzureBlob?.ToAddress() ?? store.Folder?.Path) is { } path)
        {
            variables[PhiEnvironment.CheckpointPath] = path;
        }

        return variables;
    }

    private static JsonArray? Texts(List<string>? texts) => texts is null ? null : [.. texts.Select(text => (JsonNode?)text)];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>What the user left out is the image's.</summary>
    private static void Set(JsonObject container, string name, JsonNode? value)
    {
        container.Remove(name);
        if (value is not null)
        {
            container[name] = value;
        }
    }
}

using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.Execute;

/// <summary>The progress file of a container job's pods: a folder that the program shares with a sidecar, which reports what is appended.</summary>
internal static class ProgressSidecar
{
    private const string Volume = "phi-progress";
    private const string Folder = "/mnt/phi";
    private const string File = $"{Folder}/progress.jsonl";

    /// <summary>Who the pod is, and where its operator.</summary>
    private static readonly string[] Shared =
    [
        PhiEnvironment.OperatorUrl, PhiEnvironment.AgentTokenFile, PhiEnvironment.OperatorAuthorityFile, PhiEnvironment.Namespace, PhiEnvironment.JobName, PhiEnvironment.JobUid, PhiEnvironment.ReplicaIndex,
        PhiEnvironment.PodName, PhiEnvironment.PodUid, PhiEnvironment.PodIp,
    ];

    /// <summary>Adds the volume and its mount; the sidecar to those pods whose file is read.</summary>
    /// <param name="pod">Of a container job; its variables are the operator's, not the user's.</param>
    /// <param name="variables">The program's, to be added to.</param>
    public static void Add(JsonObject pod, TrainingJob effective, int index, Dictionary<string, string> variables)
    {
        var reads = effective.Spec.Container!.ProgressFile;
        if (reads == "None")
        {
            return;
        }

        // A program writes its file in every pod, whether somebody reads it or not: it need not know its rank.
        variables[PhiEnvironment.ProgressFile] = File;
        var spec = pod["spec"]!;
        spec["volumes"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = Volume, ["emptyDir"] = new JsonObject() });
        spec["containers"]![0]!["volumeMounts"]!.AsArray().Add((JsonNode)Mount());
        if (index == 0 || reads == "EveryReplica")
        {
            spec["initContainers"] = new JsonArray(Container(effective, variables, spec["containers"]![0]!["env"]!.AsArray()));
        }
    }

    private static JsonObject Container(TrainingJob effective, Dictionary<string, string> variables, JsonArray environment) => new()
    {
        ["name"] = PhiNames.ProgressContainer,
        ["image"] = GangPod.TrainerImage(effective),
        ["restartPolicy"] = "Always",
        ["command"] = new JsonArray("phi-trainer"),
        ["args"] = new JsonArray("progress"),
        ["env"] = new JsonArray(
        [
            .. environment.Where(variable => Shared.Contains((string?)variable!["name"])).Select(variable => variable!.DeepClone()),
            .. new[] { PhiEnvironment.Attempt, PhiEnvironment.ProgressFile }.Select(name => new JsonObject { ["name"] = name, ["value"] = variables[name] }),
        ]),

        // The program starts when the sidecar reads, and has written its position; one that ends at once would else be missed.
        ["startupProbe"] = new JsonObject { ["exec"] = new JsonObject { ["command"] = new JsonArray("cat", $"{File}.position") }, ["periodSeconds"] = 1, ["timeoutSeconds"] = 5, ["failureThreshold"] = 120 },

        // Limits as the requests are: a pod whose program asks so for whole processors keeps them to itself.
        ["resources"] = new JsonObject { ["requests"] = Resources(), ["limits"] = Resources() },
        ["securityContext"] = PodSecurity.Sidecar(),
        ["volumeMounts"] = new JsonArray(Mount(), OperatorAccess.Mount()),
    };

    private static JsonObject Resources() => new() { ["cpu"] = "100m", ["memory"] = "256Mi" };

    private static JsonObject Mount() => new() { ["name"] = Volume, ["mountPath"] = Folder };
}

using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Execute;

namespace Phi.Operator.Tests;

/// <summary>The gang's pods against the restricted Pod Security Standard.</summary>
public sealed class PodSecurityTests
{
    private const string Restricted = """{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}""";

    [Fact]
    public void Pod_OfThePhiTrainer_IsRestricted()
    {
        var pod = Pod(new TrainingJobSpec { Phi = new PhiSpec() });

        Assert.Equal("""{"seccompProfile":{"type":"RuntimeDefault"},"runAsNonRoot":true}""", pod["securityContext"]!.ToJsonString());
        Assert.Equal(Restricted, pod["containers"]![0]!["securityContext"]!.ToJsonString());
        Assert.All(pod["volumes"]!.AsArray(), volume => Assert.NotNull(volume!["emptyDir"] ?? volume["projected"]));
        Assert.False((bool)pod["automountServiceAccountToken"]!);
    }

    /// <summary>Its image may know no user but root; the sidecar's image is ours.</summary>
    [Fact]
    public void Pod_OfAnyImage_MayRunAsRootAndNothingMore()
    {
        var pod = Pod(new TrainingJobSpec { Container = new ContainerSpec { Image = "any" } });

        Assert.Equal("""{"seccompProfile":{"type":"RuntimeDefault"}}""", pod["securityContext"]!.ToJsonString());
        Assert.Equal(Restricted, pod["containers"]![0]!["securityContext"]!.ToJsonString());
        Assert.True((bool)pod["initContainers"]![0]!["securityContext"]!["runAsNonRoot"]!);
    }

    [Fact]
    public void Template_ThatNeedsMore_ReplacesFieldByField()
    {
        var pod = Pod(new TrainingJobSpec
        {
            Phi = new PhiSpec(),
            Template = new PodTemplateSpec
            {
                PodSecurityContext = new JsonObject { ["fsGroup"] = 2000 },
                SecurityContext = new JsonObject { ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL"), ["add"] = new JsonArray("IPC_LOCK") } },
            },
        });

        Assert.Equal("""{"seccompProfile":{"type":"RuntimeDefault"},"runAsNonRoot":true,"fsGroup":2000}""", pod["securityContext"]!.ToJsonString());
        Assert.Equal("""{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["IPC_LOCK"]}}""", pod["containers"]![0]!["securityContext"]!.ToJsonString());
    }

    private static JsonNode Pod(TrainingJobSpec spec)
    {
        var job = TrainingJobDefaults.Apply(new TrainingJob { Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222" }, Spec = spec });
        var pod = GangPod.Pod(job, 0, "job-0", 1, new OperatorAddress("https://operator", "authority"));
        if (spec.Container is not null)
        {
            ContainerPod.Turn(pod, job, job, 0, 1, "https://operator");
        }

        return pod["spec"]!;
    }
}

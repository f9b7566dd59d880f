using System.Text.Json.Nodes;

namespace Phi.Chart.Tests;

/// <summary>Every pod meets the level "restricted" of the Pod Security Standards (kubernetes.io, "Pod Security Standards"), and more.</summary>
public sealed class PodSecurityTests
{
    private static readonly string[] Volumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    public static TheoryData<string> ValueSets => [.. HelmChart.ValueSets];

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Pods_OfAValueSet_AreRestricted(string set)
    {
        var pods = HelmChart.PodTemplates(await HelmChart.ObjectsAsync(set)).ToList();

        Assert.NotEmpty(pods);
        Assert.Empty(pods.SelectMany(pod => Problems(pod.Template["spec"]!.AsObject()).Select(problem => $"{pod.Owner}: {problem}")));
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Pods_OfAValueSet_HaveResourcesCommandsAndOnlyTheTokensTheyNeed(string set)
    {
        foreach (var (owner, template) in HelmChart.PodTemplates(await HelmChart.ObjectsAsync(set)))
        {
            var speaks = owner.EndsWith("-operator", StringComparison.Ordinal) || owner.EndsWith("-dashboard", StringComparison.Ordinal);
            Assert.True((bool?)template["spec"]!["automountServiceAccountToken"] == speaks, $"{owner}: automountServiceAccountToken");
            Assert.Equal(speaks, template["spec"]!["serviceAccountName"] is not null);
            foreach (var container in Containers(template["spec"]!.AsObject()))
            {
                Assert.True(container["command"] is JsonArray { Count: > 0 }, $"{owner}: a container without command");
                Assert.True(container["resources"]?["requests"]?["memory"] is not null && container["resources"]?["requests"]?["cpu"] is not null && container["resources"]?["limits"]?["memory"] is not null, $"{owner}: resources");
                Assert.DoesNotContain(":latest", (string)container["image"]!, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("""{"hostNetwork": true}""", "hostNetwork")]
    [InlineData("""{"securityContext": {"runAsUser": 0}}""", "runAsUser")]
    [InlineData("""{"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}""", "volume a")]
    [InlineData("""{"containers": [{"name": "c", "securityContext": {"allowPrivilegeEscalation": true}}]}""", "allowPrivilegeEscalation")]
    [InlineData("""{"containers": [{"name": "c", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}}]}""", "added capability")]
    [InlineData("""{"containers": [{"name": "c", "ports": [{"hostPort": 80}]}]}""", "hostPort")]
    public void Problems_OfAPodThatIsNot_NameIt(string spec, string named) => Assert.Contains(Problems(JsonNode.Parse(spec)!.AsObject()), problem => problem.Contains(named, StringComparison.Ordinal));

    private static IEnumerable<string> Problems(JsonObject spec)
    {
        foreach (var field in new[] { "hostNetwork", "hostPID", "hostIPC" }.Where(field => (bool?)spec[field] == true))
        {
            yield return field;
        }

        foreach (var volume in (spec["volumes"] as JsonArray ?? []).Where(volume => volume!.AsObject().Any(field => field.Key != "name" && !Volumes.Contains(field.Key))))
        {
            yield return $"volume {volume!["name"]} is of a kind that is not allowed";
        }

        foreach (var problem in Containers(spec).SelectMany(container => Problems(spec["securityContext"] as JsonObject ?? [], container)))
        {
            yield return problem;
        }

        if ((long?)spec["securityContext"]?["runAsUser"] == 0)
        {
            yield return "runAsUser 0";
        }
    }

    /// <summary>A container's own context goes before its pod's.</summary>
    private static IEnumerable<string> Problems(JsonObject pod, JsonObject container)
    {
        var own = container["securityContext"] as JsonObject ?? [];
        var checks = new (string What, bool IsGood)[]
        {
            ("privileged", (bool?)own["privileged"] != true),
            ("allowPrivilegeEscalation", (bool?)own["allowPrivilegeEscalation"] == false),
            ("runAsNonRoot", (bool?)(own["runAsNonRoot"] ?? pod["runAsNonRoot"]) == true),
            ("runAsUser", (long?)(own["runAsUser"] ?? pod["runAsUser"]) is > 0),
            ("seccompProfile", (string?)(own["seccompProfile"] ?? pod["seccompProfile"])?["type"] is "RuntimeDefault" or "Localhost"),
            ("dropped capabilities", (own["capabilities"]?["drop"] as JsonArray ?? []).Any(name => (string?)name == "ALL")),
            ("added capability", (own["capabilities"]?["add"] as JsonArray ?? []).All(name => (string?)name == "NET_BIND_SERVICE")),
            ("readOnlyRootFilesystem", (bool?)own["readOnlyRootFilesystem"] == true),
            ("procMount", own["procMount"] is null),
            ("hostPort", (container["ports"] as JsonArray ?? []).All(port => port!["hostPort"] is null)),
        };
        return checks.Where(check => !check.IsGood).Select(check => $"container {container["name"]}: {check.What}");
    }

    private static IEnumerable<JsonObject> Containers(JsonObject spec) => new[] { "initContainers", "containers" }.SelectMany(list => spec[list] as JsonArray ?? []).Select(container => container!.AsObject());
}

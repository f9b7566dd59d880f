using System.Text.Json.Nodes;

namespace Phi.Chart.Tests;

/// <summary>A part of an installed release as its Deployment runs it: its command and variables, with no more than its service account's token.</summary>
internal static class ServiceAccountProcess
{
    /// <summary>Flags of a pod that are others here, where replicas of several releases share one machine.</summary>
    private static readonly string[] OfThePod = ["--state", "--bind-address", "--bind", "--agent-port", "--agent-url", "--health-port", "--port"];

    public static async Task<PhiProcess> StartAsync(ChartCluster cluster, string part, params string[] ofThisMachine)
    {
        var deployment = await cluster.GetAsync("deployment", $"phi-phi-orchestrator-{part}");
        var (pod, container) = (deployment["spec"]!["template"]!["spec"]!, deployment["spec"]!["template"]!["spec"]!["containers"]![0]!);
        var command = container["command"]!.AsArray().Select(word => (string)word!).Skip(1).Where(word => !OfThePod.Contains(word.Split('=')[0])).ToList();
        var kubeconfig = await KubeconfigAsync(cluster, (string)pod["serviceAccountName"]!);
        return new PhiProcess(await EnvironmentAsync(cluster, container), [.. command, "--kubeconfig", kubeconfig, .. ofThisMachine]);
    }

    /// <summary>A kubeconfig with a token as the pod would get it.</summary>
    public static async Task<string> KubeconfigAsync(ChartCluster cluster, string account)
    {
        var token = (await cluster.KubectlAsync("create", "token", account, "--namespace", HelmChart.Namespace)).Ok().Output.Trim();
        var path = Path.Combine(cluster.Folder, $"{account}.kubeconfig");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(cluster.Kubeconfig)).Replace(ChartCluster.AdminToken, token, StringComparison.Ordinal));
        return path;
    }

    private static async Task<Dictionary<string, string>> EnvironmentAsync(ChartCluster cluster, JsonNode container)
    {
        var variables = new Dictionary<string, string>();
        foreach (var variable in container["env"]!.AsArray().Where(variable => (string?)variable!["name"] != "HOME"))
        {
            variables[(string)variable!["name"]!] = variable["valueFrom"]?["secretKeyRef"] is { } secret
                ? System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)(await cluster.GetAsync("secret", (string)secret["name"]!))["data"]![(string)secret["key"]!]!))
                : (string)variable["value"]!;
        }

        return variables;
    }
}

using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>
/// The service accounts of operator and dashboard on a cluster that was there before the tests, with the roles that helm makes of the chart and
/// no other rights, as <c>phi up</c> makes them on its own.
/// </summary>
internal sealed class ChartAccounts(PhiCluster cluster, string @namespace)
{
    private const string Lifetime = "24h";
    private string _manifest = "";

    /// <summary>Where operator and dashboard keep what is their own.</summary>
    public string Namespace => @namespace;

    public async Task MakeAsync()
    {
        // The names are those of a local cluster; the database is not asked for anything here.
        string[] values = ["--set", "fullnameOverride=phi", "--set", "telemetry.url=postgresql://phi@database/phi", "--show-only", "templates/rbac.yaml", "--show-only", "templates/serviceaccounts.yaml"];
        var rendered = await CommandResult.RunAsync(Tools.Helm, ["template", "phi", Path.Combine(Repository.Root, "charts", "phi-orchestrator"), "--namespace", @namespace, .. values], cluster.Work, input: null);
        _manifest = Succeeded(rendered).Output;
        Succeeded(await cluster.KubectlAsync("create", "namespace", @namespace));
        Succeeded(await cluster.KubectlWithInputAsync(_manifest, "apply", "--namespace", @namespace, "-f", "-"));
    }

    /// <summary>A kubeconfig with a token of the part's account, for its owner's eyes alone.</summary>
    /// <param name="part">operator or dashboard.</param>
    public async Task<string> KubeconfigAsync(string part)
    {
        var token = Succeeded(await cluster.KubectlAsync("create", "token", $"phi-{part}", "--namespace", @namespace, "--duration", Lifetime)).Output.Trim();
        var config = JsonNode.Parse(Succeeded(await cluster.KubectlAsync("config", "view", "--minify", "--flatten", "-o", "json")).Output)!;
        config["users"]![0]!["user"] = new JsonObject { ["token"] = token };
        var path = Path.Combine(cluster.Home, $"{part}.kubeconfig");
        await using var file = new StreamWriter(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        await file.WriteAsync(config.ToJsonString());
        return path;
    }

    public async Task RemoveAsync()
    {
        await cluster.KubectlWithInputAsync(_manifest, "delete", "--namespace", @namespace, "--ignore-not-found", "-f", "-");
        await cluster.KubectlAsync("delete", "namespace", @namespace, "--ignore-not-found", "--wait=true", "--timeout=120s");
    }

    private static CommandResult Succeeded(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }
}

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.EndToEnd.Tests;

/// <summary>
/// Looks for secrets of a cluster wherever somebody may look who is not to know them: logs, telemetry, objects and events, the dashboard's
/// pages and answers, metrics, and command lines.
/// </summary>
internal sealed partial class Canaries(PhiCluster cluster)
{
    private static readonly string[] Pages = ["", "jobs/default/blobs", "compare", "queues", "nodes", "new", "audit", "api/v1/runs", "openapi/v1.json"];

    /// <summary>Files that are there to hold secrets, for their owner's eyes alone.</summary>
    private static readonly string[] Keepers = ["kubeconfig", "operator.kubeconfig", "dashboard.kubeconfig", "settings.json", "cluster.json", "agent-secret"];

    /// <param name="planted">What the test knows to be secret, by what it is.</param>
    public async Task AreNowhereAsync(params (string What, string Secret)[] planted)
    {
        List<(string What, string Secret)> secrets = [.. planted, .. Own(), .. await OfSecretsAsync()];
        Assert.All(secrets, one => Assert.True(one.Secret.Length >= 8, $"{one.What} is too short to be looked for"));
        List<string> found = [];
        await foreach (var (place, text) in PlacesAsync())
        {
            found.AddRange(secrets.Where(one => text.Contains(one.Secret, StringComparison.Ordinal)).Select(one => $"{one.What} in {place}"));
        }

        Assert.Empty(found.Distinct());
        Assert.All(Directory.EnumerateFiles(cluster.Home).Where(file => Keepers.Contains(Path.GetFileName(file))), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    /// <summary>The tokens with which the cluster's own parts speak.</summary>
    private IEnumerable<(string, string)> Own()
    {
        foreach (var file in Directory.EnumerateFiles(cluster.Home, "*kubeconfig"))
        {
            yield return ($"the token of {Path.GetFileName(file)}", Token().Match(File.ReadAllText(file)).Groups["token"].Value);
        }

        yield return ("the dashboard's token", (string)JsonNode.Parse(File.ReadAllText(Path.Combine(cluster.Home, "settings.json")))!["dashboardToken"]!);
    }

    /// <summary>Every value of every Secret, as it is and as base64.</summary>
    private async Task<IEnumerable<(string, string)>> OfSecretsAsync()
    {
        var shown = await cluster.KubectlAsync("get", "secrets", "--all-namespaces", "-o", "json");
        Assert.True(shown.ExitCode == 0, shown.ToString());
        return from secret in JsonNode.Parse(shown.Output)!["items"]!.AsArray()
               from entry in secret!["data"] as JsonObject ?? []
               let value = Encoding.UTF8.GetString(Convert.FromBase64String((string)entry.Value!)).Trim()
               where !value.StartsWith("-----BEGIN CERTIFICATE", StringComparison.Ordinal)
               from text in new[] { value, (string)entry.Value! }
               where text.Length > 0
               select ($"Secret {secret["metadata"]!["name"]}, {entry.Key}", text);
    }

    private async IAsyncEnumerable<(string Place, string Text)> PlacesAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(cluster.Home, "logs")).Concat(Directory.EnumerateFiles(cluster.Home, "telemetry.db*")).Concat(Directory.EnumerateFiles(Path.Combine(cluster.Home, "nodes"), "*.log", SearchOption.AllDirectories)))
        {
            yield return (file, await TextAsync(file));
        }

        yield return ("objects", (await cluster.KubectlAsync("get", "tj,tq,ctj,pods,events,services,configmaps,nodes,leases,serviceaccounts", "--all-namespaces", "-o", "yaml")).Output);
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            var line = await TextAsync(Path.Combine(process, "cmdline"));
            if (line.Contains(cluster.Home, StringComparison.Ordinal))
            {
                yield return ($"the command line {line.Replace('\0', ' ')}", line);
            }
        }

        await foreach (var page in PagesAsync())
        {
            yield return page;
        }
    }

    /// <summary>As an admin, who sees the most.</summary>
    private async IAsyncEnumerable<(string Place, string Text)> PagesAsync()
    {
        using var http = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() });
        var signedIn = new Uri(cluster.DashboardUrl());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(signedIn)).StatusCode);
        foreach (var path in Pages)
        {
            using var answer = await http.GetAsync(new Uri(signedIn, $"/{path}"));
            Assert.True(answer.IsSuccessStatusCode, $"/{path}: {answer.StatusCode}");
            yield return ($"the dashboard's /{path}", await answer.Content.ReadAsStringAsync());
        }
    }

    /// <summary>Whatever bytes it has; empty if it went away meanwhile.</summary>
    private static async Task<string> TextAsync(string file)
    {
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            return Encoding.Latin1.GetString(bytes.ToArray());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [GeneratedRegex(@"token: (?<token>\S+)")]
    private static partial Regex Token();
}

using System.Diagnostics;
using System.Globalization;
using Phi.Cli.Resources;
using Phi.Kubernetes;

namespace Phi.Cli.Doctor;

/// <summary>Whether the API server answers, is new enough, and has this machine's time.</summary>
internal static class ServerChecks
{
    private const int LeastMinor = 29;
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Harmful = TimeSpan.FromSeconds(30);

    /// <returns>The server's time as well; null: it does not tell.</returns>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public static async Task<(IReadOnlyList<CheckResult> Results, DateTimeOffset? Now)> RunAsync(ClusterFacts facts, TimeProvider time, CancellationToken ct)
    {
        var connection = facts.Session.Connection;
        var began = time.GetTimestamp();
        using var response = await connection.OpenAsync("version", ct);
        var version = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync(ct))!.AsObject();
        var took = time.GetElapsedTime(began);
        return ([Version(new ResourceRow(version), connection.Server, took), Clock(response.Headers.Date, time.GetUtcNow(), took)], response.Headers.Date);
    }

    internal static CheckResult Version(ResourceRow version, Uri server, TimeSpan took)
    {
        var name = version.Text("gitVersion") ?? "of no version";
        var message = string.Create(CultureInfo.InvariantCulture, $"{server} is {name}, answers in {took.TotalMilliseconds:0} ms");
        var isKnown = int.TryParse(version.Text("minor")?.TrimEnd('+'), CultureInfo.InvariantCulture, out var minor) & int.TryParse(version.Text("major"), CultureInfo.InvariantCulture, out var major);
        return !isKnown ? CheckResult.Warn("API server", $"{message}; the version cannot be read", $"make sure that it is at least 1.{LeastMinor}")
            : major > 1 || minor >= LeastMinor ? CheckResult.Ok("API server", message)
            : CheckResult.Fail("API server", $"{message}; at least 1.{LeastMinor} is needed, for sidecar containers and CEL rules", "upgrade the cluster");
    }

    /// <summary>The header has whole seconds, and is as old as the answer took.</summary>
    internal static CheckResult Clock(DateTimeOffset? server, DateTimeOffset here, TimeSpan took)
    {
        if (server is not { } there)
        {
            return CheckResult.Skip("clock", "the API server tells no time");
        }

        var skew = here - there;
        var least = TimeSpan.FromSeconds(Math.Max(0, Math.Abs(skew.TotalSeconds) - 1 - took.TotalSeconds));
        var message = string.Create(CultureInfo.InvariantCulture, $"this machine is {(least == TimeSpan.Zero ? "within a second of" : $"{least.TotalSeconds:0} s {(skew > TimeSpan.Zero ? "ahead of" : "behind")}")} the API server");
        const string remedy = "set both by NTP: tokens, leases and ages are judged by the clock";
        return least >= Harmful ? CheckResult.Fail("clock", message, remedy) : least >= Noticeable ? CheckResult.Warn("clock", message, remedy) : CheckResult.Ok("clock", message);
    }
}

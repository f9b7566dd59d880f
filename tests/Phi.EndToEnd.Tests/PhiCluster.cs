using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>
/// A control plane of its own in a temporary folder, driven through the real command line and the real kubectl; or, with
/// PHI_E2E_KUBECONFIG set, the cluster of that kubeconfig, which the test joins with what it needs and a namespace of its own.
/// </summary>
public sealed class PhiCluster : IAsyncDisposable
{
    /// <summary>Why a test is skipped on a cluster that was there before it.</summary>
    public const string NeedsOwnControlPlane = "needs a control plane that it starts and stops itself; unset PHI_E2E_KUBECONFIG";
    private static readonly string? JoinedKubeconfig = Environment.GetEnvironmentVariable("PHI_E2E_KUBECONFIG") is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    /// <summary>Of that cluster's API server, where it lies on this machine (PHI_E2E_AUDIT_LOG, optional).</summary>
    private static readonly string? JoinedAuditLog = Environment.GetEnvironmentVariable("PHI_E2E_AUDIT_LOG") is { Length: > 0 } path ? Path.GetFullPath(path) : null;
    private readonly JoinedCluster? _joined;

    private PhiCluster(string home, string work)
    {
        Home = home;
        Work = work;
        if (IsJoined)
        {
            var suffix = Guid.NewGuid().ToString("N")[..8];
            (_joined, Namespace) = (new JoinedCluster(this, suffix), $"phi-e2e-{suffix}");
        }
    }

    public static bool IsJoined => JoinedKubeconfig is not null;

    /// <summary>Namespace of kubectl's commands.</summary>
    public string Namespace { get; } = "default";

    public string Home { get; }

    /// <summary>Folder for the test's manifests and corpora; its name has a space.</summary>
    public string Work { get; }
    public string Kubeconfig => JoinedKubeconfig ?? Path.Combine(Home, "kubeconfig");
    private string AuditLog => IsJoined && JoinedAuditLog is { } log ? log : Path.Combine(Home, "logs", "audit.log");

    public string Checkpoints => Path.Combine(Home, "checkpoints");

    /// <param name="telemetry">Its telemetry database; null: a file in its folder.</param>
    public static async Task<PhiCluster> StartAsync(int nodes = 2, int slots = 4, string? telemetry = null)
    {
        var root = Directory.CreateTempSubdirectory("phi e2e ").FullName;
        var cluster = new PhiCluster(Path.Combine(root, "home"), Path.Combine(root, "work folder"));
        Directory.CreateDirectory(cluster.Work);
        if (cluster._joined is null)
        {
            var up = await cluster.UpAsync(nodes, slots, telemetry);
            Assert.True(up.ExitCode == 0, up.ToString());
            return cluster;
        }

        try
        {
            await cluster._joined.StartAsync(nodes, slots, telemetry);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task<CommandResult> UpAsync(int nodes = 2, int slots = 4, string? telemetry = null) =>
        PhiAsync(["up", "--detach", "--nodes", $"{nodes}", "--slots", $"{slots}", "--audit-log", AuditLog, .. telemetry is null ? Array.Empty<string>() : ["--telemetry", telemetry]]);

    public Task<CommandResult> DownAsync() => PhiAsync("down");

    public Task<CommandResult> PhiAsync(params string[] arguments) =>
        CommandResult.RunAsync(Tools.Phi, [.. arguments, "--home", Home], Work, input: null);

    /// <param name="environment">Variables beside the test's own.</param>
    public Task<CommandResult> PhiWithAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        CommandResult.RunAsync(Tools.Phi, [.. arguments, "--home", Home], Work, input: null, environment);

    public Task<CommandResult> KubectlAsync(params string[] arguments) => KubectlWithInputAsync(null, arguments);

    public Task<CommandResult> KubectlWithInputAsync(string? input, params string[] arguments) =>
        CommandResult.RunAsync(Tools.Kubectl, ["--kubeconfig", Kubeconfig, "--namespace", Namespace, "--cache-dir", Path.Combine(Home, "kubectl-cache"), .. arguments], Work, input);

    /// <summary>Applies a manifest; fails the test if kubectl refuses it.</summary>
    public async Task ApplyAsync(string manifest)
    {
        var result = await KubectlWithInputAsync(manifest, "apply", "-f", "-");
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    public async Task<JsonNode> JobAsync(string name)
    {
        var result = await KubectlAsync("get", "tj", name, "-o", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonNode.Parse(result.Output)!;
    }

    /// <summary>Waits until the job's state satisfies the condition; a job that finished otherwise fails the test with its whole state.</summary>
    public async Task<JsonNode> WaitForAsync(string name, Func<JsonNode, bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (true)
        {
            var job = await JobAsync(name);
            if (condition(job))
            {
                return job;
            }

            if (deadline.IsCancellationRequested || (string?)job["status"]?["phase"] is "Failed")
            {
                Assert.Fail($"{name}: no {what}. {job.ToJsonString(new JsonSerializerOptions { WriteIndented = true })}\n{await EvidenceAsync()}");
            }

            await Task.Yield();
        }
    }

    public Task<JsonNode> WaitForStepAsync(string name, long step) =>
        WaitForAsync(name, job => (long?)job["status"]?["progress"]?["step"] >= step, $"step {step}");

    public Task<JsonNode> WaitForSuccessAsync(string name) =>
        WaitForAsync(name, job => (string?)job["status"]?["phase"] == "Succeeded", "success");

    /// <summary>Waits for an event about the job; they are written in the background, after the status.</summary>
    /// <param name="says">Parts of "Reason: message".</param>
    public async Task WaitForEventAsync(string job, params string[] says)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var events = await KubectlAsync("get", "events", "--field-selector", $"involvedObject.name={job}", "-o", "json");
            if (events.ExitCode == 0 && JsonNode.Parse(events.Output)!["items"]!.AsArray().Any(item => says.All($"{item!["reason"]}: {item["message"]}".Contains)))
            {
                return;
            }

            if (deadline.IsCancellationRequested)
            {
                Assert.Fail($"{job}: no event that says {string.Join(" and ", says)}. {events}\n{await EvidenceAsync()}");
            }

            await Task.Yield();
        }
    }

    /// <summary>Kills the operator, and returns when the next one runs.</summary>
    public async Task ReplaceTheOperatorAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var killed = Operators();
        Assert.NotEmpty(killed);
        foreach (var process in killed)
        {
            Process.GetProcessById(process).Kill();
        }

        while (!Operators().Except(killed).Any())
        {
            Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? $"no operator came after the one that was killed\n{await EvidenceAsync()}" : "");
            await Task.Yield();
        }

        IReadOnlyList<int> Operators() => TrainingProcesses.WithArguments("operator", Path.Combine(Home, "operator"));
    }

    /// <summary>The dashboard's URL with its sign-in token.</summary>
    public string DashboardUrl() => _joined?.DashboardUrl ?? (string)JsonNode.Parse(File.ReadAllText(Path.Combine(Home, "cluster.json")))!["dashboardUrl"]!;

    public async ValueTask DisposeAsync()
    {
        await (_joined?.DisposeAsync().AsTask() ?? DownAsync());
        RightsUsed.Read(AuditLog, _joined?.SystemNamespace ?? "kube-system");
        Directory.Delete(Path.GetDirectoryName(Home)!, recursive: true);
    }

    /// <summary>Pods, events and logs, for a failed test's message.</summary>
    public async Task<string> EvidenceAsync()
    {
        var pods = await KubectlAsync("get", "pods", "-o", "wide");
        var events = await KubectlAsync("get", "events");
        var logs = Directory.Exists(Path.Combine(Home, "logs"))
            ? string.Join('\n', Directory.EnumerateFiles(Path.Combine(Home, "logs")).Where(file => file != AuditLog).Select(file => $"--- {file}\n{string.Join('\n', File.ReadLines(file).TakeLast(30))}"))
            : "";
        return $"{pods.Output}\n{events.Output}\n{logs}";
    }
}

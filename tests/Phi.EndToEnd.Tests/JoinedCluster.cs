namespace Phi.EndToEnd.Tests;

/// <summary>
/// What the tests bring to a cluster that is there already: the CRDs, operator and dashboard with the rights that the chart gives them, and nodes
/// of this machine. Everything is taken away again; the CRDs too, unless the cluster had them before. No other operator may serve the cluster meanwhile.
/// </summary>
internal sealed class JoinedCluster(PhiCluster cluster, string suffix) : IAsyncDisposable
{
    private const string Definition = "crd/trainingjobs.phi-orchestrator.io";
    private readonly List<JoinedProcess> _nodes = [];
    private readonly ChartAccounts _accounts = new(cluster, $"phi-e2e-{suffix}-system");
    private JoinedProcess? _operator;
    private JoinedProcess? _dashboard;
    private bool _madeDefinitions;

    /// <summary>Of operator and dashboard, and theirs alone.</summary>
    public string SystemNamespace => _accounts.Namespace;

    /// <summary>The dashboard's URL with its token, once it has written it.</summary>
    public string DashboardUrl { get; private set; } = "";

    private IEnumerable<string> NodeNames => _nodes.Select((_, i) => $"phi-e2e-{suffix}-{i}");

    public async Task StartAsync(int nodes, int slots, string? database)
    {
        var definitions = Path.Combine(Repository.Root, "operators", "crds");
        _madeDefinitions = (await cluster.KubectlAsync("get", Definition)).ExitCode != 0;
        await KubectlAsync("apply", "--server-side", "--force-conflicts", "-f", definitions);
        await KubectlAsync("wait", "--for=condition=Established", "-f", definitions, "--timeout=60s");
        await KubectlAsync("create", "namespace", cluster.Namespace);
        await _accounts.MakeAsync();

        foreach (var folder in new[] { "logs", "operator" })
        {
            Directory.CreateDirectory(Path.Combine(cluster.Home, folder));
        }

        var telemetry = database ?? Path.Combine(cluster.Home, "telemetry.db");
        _operator = new JoinedProcess(Log("operator"), "operator", "--kubeconfig", await _accounts.KubeconfigAsync("operator"), "--lease-namespace", SystemNamespace, "--state", Path.Combine(cluster.Home, "operator"), "--telemetry", telemetry);
        for (var i = 0; i < nodes; i++)
        {
            var name = $"phi-e2e-{suffix}-{i}";
            _nodes.Add(new JoinedProcess(Log(name), "node", "--kubeconfig", cluster.Kubeconfig, "--name", name, "--slots", $"{slots}", "--home", cluster.Home));
        }

        var address = Path.Combine(cluster.Home, "dashboard.url");
        _dashboard = new JoinedProcess(Log("dashboard"), "dashboard", "--kubeconfig", await _accounts.KubeconfigAsync("dashboard"), "--namespace", SystemNamespace, "--telemetry", telemetry, "--token", suffix, "--address-file", address);
        await WaitAsync(async () => (await cluster.KubectlAsync(["wait", "--for=condition=Ready", .. NodeNames.Select(name => $"node/{name}"), "--timeout=5s"])).ExitCode == 0, "ready nodes");
        await WaitAsync(() => Task.FromResult(File.Exists(address) && Uri.TryCreate(File.ReadAllText(address).Trim(), UriKind.Absolute, out _)), "dashboard");
        DashboardUrl = new Uri(new Uri((await File.ReadAllTextAsync(address)).Trim()), $"/?token={suffix}").ToString();
    }

    public async ValueTask DisposeAsync()
    {
        // The operator and the nodes let go of jobs and pods, so these go first.
        await cluster.KubectlAsync("delete", "tj", "--all", "--wait=true", "--timeout=120s");
        await cluster.KubectlAsync("delete", "namespace", cluster.Namespace, "--wait=true", "--timeout=120s");
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        await cluster.KubectlAsync(["delete", .. NodeNames.Select(name => $"node/{name}"), "--ignore-not-found"]);
        await cluster.KubectlAsync(["delete", .. NodeNames.Select(name => $"lease/{name}"), "--ignore-not-found", "--namespace", "kube-node-lease"]);
        foreach (var part in new[] { _dashboard, _operator }.OfType<JoinedProcess>())
        {
            await part.DisposeAsync();
        }

        await _accounts.RemoveAsync();
        if (_madeDefinitions)
        {
            await cluster.KubectlAsync("delete", "-f", Path.Combine(Repository.Root, "operators", "crds"), "--timeout=60s");
        }
    }

    private string Log(string part) => Path.Combine(cluster.Home, "logs", part + ".log");

    private async Task KubectlAsync(params string[] arguments)
    {
        var result = await cluster.KubectlAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? $"no {what}\n{await cluster.EvidenceAsync()}" : "");
            await Task.Yield();
        }
    }
}

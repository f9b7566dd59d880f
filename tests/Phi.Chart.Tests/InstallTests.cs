using Npgsql;

namespace Phi.Chart.Tests;

/// <summary>helm install, upgrade, rollback and uninstall; the migration is a real Job whose pod runs the real phi.</summary>
public sealed class InstallTests(ChartCluster cluster) : IClassFixture<ChartCluster>
{
    private const string Operator = "phi-phi-orchestrator-operator";
    private const string Definition = "trainingjobs.phi-orchestrator.io";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Release_InstallUpgradeRollbackUninstall_MigratesFirstAndKeepsDefinitionsAndJobs()
    {
        var database = cluster.CreateDatabase();
        string[] values = ["--set", $"telemetry.url={database}", "--set", "dashboard.token.value=secret,migration.wait=20s,migration.backoffLimit=0", "--timeout", "3m"];

        (await cluster.HelmAsync(["install", "phi", HelmChart.Folder, "--create-namespace", .. values])).Ok();

        Assert.NotEmpty(await MigrationsAsync(database));
        Assert.Equal(2, (int)(await cluster.GetAsync("deployment", Operator))["spec"]!["replicas"]!);
        Assert.Equal("", (await cluster.KubectlAsync("get", "jobs,pods", "--namespace", HelmChart.Namespace, "-o", "name")).Ok().Output);
        (await cluster.KubectlAsync("wait", "--for=condition=Established", $"crd/{Definition}", "--timeout=30s")).Ok();
        (await cluster.KubectlAsync("create", "--namespace", "default", "-f", Path.Combine(Repository.Root, "operators", "samples", "phi-tiny.yaml"))).Ok();
        var (definition, job) = (await UidAsync("crd", Definition), await JobsAsync());

        (await cluster.HelmAsync(["upgrade", "phi", HelmChart.Folder, "--set", "operator.replicas=3", .. values])).Ok();
        Assert.Equal(3, (int)(await cluster.GetAsync("deployment", Operator))["spec"]!["replicas"]!);
        Assert.Equal(job, await JobsAsync());

        var failed = await cluster.HelmAsync(["upgrade", "phi", HelmChart.Folder, "--set", "operator.replicas=4", .. values, "--set", $"telemetry.url={database.Replace("phi@", "nobody@", StringComparison.Ordinal)}"]);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Equal(3, (int)(await cluster.GetAsync("deployment", Operator))["spec"]!["replicas"]!);
        Assert.Contains("the telemetry database refuses", (await cluster.KubectlAsync("logs", "--namespace", HelmChart.Namespace, "job/phi-phi-orchestrator-migrate")).ToString(), StringComparison.Ordinal);

        (await cluster.HelmAsync("rollback", "phi", "1", "--timeout", "3m")).Ok();
        Assert.Equal(2, (int)(await cluster.GetAsync("deployment", Operator))["spec"]!["replicas"]!);
        Assert.Equal(job, await JobsAsync());

        (await cluster.HelmAsync("uninstall", "phi")).Ok();
        Assert.NotEqual(0, (await cluster.KubectlAsync("get", "deployment", Operator, "--namespace", HelmChart.Namespace)).ExitCode);
        Assert.Equal(3, (await cluster.KubectlAsync("get", "crd", "-o", "name")).Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal((definition, job), (await UidAsync("crd", Definition), await JobsAsync()));
        (await cluster.KubectlAsync("delete", "tj", "--all", "--namespace", "default")).Ok();
    }

    [Fact]
    public async Task PlainManifest_IsAppliedByTheServer_Twice()
    {
        await cluster.KubectlAsync("create", "namespace", HelmChart.Namespace);
        var file = Path.Combine(Repository.Root, "deploy", "phi-orchestrator.yaml");

        var first = await cluster.KubectlAsync("apply", "--server-side", "--force-conflicts", "-f", file);
        var second = await cluster.KubectlAsync("apply", "--server-side", "-f", file);

        first.Ok();
        Assert.Contains("Warning: this control plane runs no controller for statefulsets", first.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown field", first.Error, StringComparison.Ordinal);
        Assert.All(second.Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.EndsWith("serverside-applied", line, StringComparison.Ordinal));
        (await cluster.KubectlAsync("delete", "-f", file, "--wait=true")).Ok();
    }

    [Theory]
    [InlineData("bundled")]
    [InlineData("external")]
    [InlineData("team")]
    [InlineData("namespaced")]
    [InlineData("operator-only")]
    public async Task ValueSet_IsAcceptedByTheServerWithoutAnUnknownField(string set)
    {
        foreach (var name in new[] { HelmChart.Namespace, "research", "production", "team-a", "team-b" })
        {
            await cluster.KubectlAsync("create", "namespace", name);
        }

        // One of an upgrade that failed is left for whoever looks into it.
        (await cluster.KubectlAsync("delete", "jobs", "--all", "--namespace", HelmChart.Namespace)).Ok();

        // The kinds of the Prometheus operator are not here.
        var rendered = await HelmChart.RenderAsync(set, "--set", "monitoring.serviceMonitor.enabled=false,monitoring.rules.enabled=false");
        var applied = await cluster.KubectlWithInputAsync(rendered, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-");

        applied.Ok();
    }

    private async Task<string> UidAsync(string kind, string name) => (await cluster.KubectlAsync("get", kind, name, "-o", "jsonpath={.metadata.uid}")).Ok().Output;

    /// <summary>Everything of every job, its resource version among it: whoever writes one changes this.</summary>
    private async Task<string> JobsAsync()
    {
        var jobs = (await cluster.KubectlAsync("get", "tj", "--namespace", "default", "-o", "json", "--show-managed-fields")).Ok().Output;
        Assert.Contains("\"kind\": \"TrainingJob\"", jobs, StringComparison.Ordinal);
        return jobs;
    }

    private static async Task<IReadOnlyList<string>> MigrationsAsync(string database)
    {
        var url = new Uri(database);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder { Host = url.Host, Username = "phi", Database = url.AbsolutePath.TrimStart('/') }.ConnectionString);
        await using var command = source.CreateCommand("SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\"");
        await using var rows = await command.ExecuteReaderAsync(Ct);
        var ids = new List<string>();
        while (await rows.ReadAsync(Ct))
        {
            ids.Add(rows.GetString(0));
        }

        return ids;
    }
}

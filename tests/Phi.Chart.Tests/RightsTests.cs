namespace Phi.Chart.Tests;

/// <summary>What the chart's roles allow and what not, as an API server decides it.</summary>
public sealed class RightsTests(ChartCluster cluster) : IClassFixture<ChartCluster>
{
    [Theory]
    [InlineData("operator", "list pods -A", "yes")]
    [InlineData("operator", "delete trainingjobs.phi-orchestrator.io -n team-a", "yes")]
    [InlineData("operator", "patch trainingjobs.phi-orchestrator.io --subresource=status -n team-a", "yes")]
    [InlineData("operator", "get secrets/phi-operator-agent-tokens -n phi-system", "yes")]
    [InlineData("operator", "patch leases -n phi-system", "yes")]
    [InlineData("operator", "get secrets/other -n phi-system", "no")]
    [InlineData("operator", "list secrets -A", "no")]
    [InlineData("operator", "create pods --subresource=exec -n team-a", "no")]
    [InlineData("operator", "update trainingjobs.phi-orchestrator.io -n team-a", "no")]
    [InlineData("operator", "delete nodes", "no")]
    [InlineData("operator", "get leases -n kube-system", "no")]
    [InlineData("dashboard", "create trainingjobs.phi-orchestrator.io -n team-a", "yes")]
    [InlineData("dashboard", "get pods --subresource=log -n team-a", "yes")]
    [InlineData("dashboard", "patch secrets/phi-dashboard-keys -n phi-system", "yes")]
    [InlineData("dashboard", "create pods -n team-a", "no")]
    [InlineData("dashboard", "get secrets/phi-operator-agent-tokens -n phi-system", "no")]
    [InlineData("dashboard", "patch trainingjobs.phi-orchestrator.io --subresource=status -n team-a", "no")]
    public Task Account_OfAPart_MayDoSoMuch(string part, string asked, string answer) => AnswersAsync("external", $"phi-phi-orchestrator-{part}", asked, answer);

    [Theory]
    [InlineData("robot", "list pods -A", "yes")]
    [InlineData("robot", "create pods -n team-a", "yes")]
    [InlineData("robot", "create pods -n team-b", "yes")]
    [InlineData("robot", "create pods -n default", "no")]
    [InlineData("robot", "patch trainingjobs.phi-orchestrator.io --subresource=status -n default", "no")]
    [InlineData("phi-phi-orchestrator-dashboard", "delete trainingjobs.phi-orchestrator.io -n team-a", "yes")]
    [InlineData("phi-phi-orchestrator-dashboard", "delete trainingjobs.phi-orchestrator.io -n default", "no")]
    public Task Account_WithNamespaces_MayChangeThoseAlone(string account, string asked, string answer) => AnswersAsync("namespaced", account, asked, answer);

    private async Task AnswersAsync(string set, string account, string asked, string answer)
    {
        foreach (var name in new[] { HelmChart.Namespace, "team-a", "team-b" })
        {
            await cluster.KubectlAsync("create", "namespace", name);
        }

        (await cluster.KubectlAsync("apply", "--server-side", "-f", Path.Combine(Repository.Root, "operators", "crds"))).Ok();

        // Roles of the other set go first: both have the same names.
        var rendered = await HelmChart.RenderAsync(set, "--show-only", "templates/rbac.yaml");
        await cluster.KubectlWithInputAsync(await HelmChart.RenderAsync("namespaced", "--show-only", "templates/rbac.yaml"), "delete", "--ignore-not-found", "-f", "-");
        (await cluster.KubectlWithInputAsync(rendered, "apply", "--server-side", "-f", "-")).Ok();

        var said = await cluster.KubectlAsync(["auth", "can-i", .. asked.Split(' '), "--as", $"system:serviceaccount:{HelmChart.Namespace}:{account}"]);

        Assert.True(said.Output.Trim() == answer, said.ToString());
    }
}

namespace Phi.Chart.Tests;

/// <summary>Values that cannot be meant are refused before anything is rendered.</summary>
public sealed class ValuesTests
{
    [Theory]
    [InlineData("nonsense=1", "nonsense")]
    [InlineData("operator.replica=3", "replica")]
    [InlineData("operator.replicas=0", "/operator/replicas")]
    [InlineData("operator.ports.agents=70000", "/operator/ports/agents")]
    [InlineData("telemetry.url=mysql://db/phi", "/telemetry/url")]
    [InlineData("telemetry.url=postgresql://phi:secret@db/phi", "/telemetry/url")]
    [InlineData("telemetry.retention=90d", "/telemetry/retention")]
    [InlineData("image.digest=abc", "/image/digest")]
    [InlineData("image.pullPolicy=Sometimes", "/image/pullPolicy")]
    [InlineData("namespaces[0]=Team_A", "/namespaces/0")]
    [InlineData("dashboard.oidc.enabled=true", "/dashboard/oidc")]
    [InlineData("dashboard.oidc.authority=http://id.example", "/dashboard/oidc/authority")]
    [InlineData("dashboard.service.type=Socket", "/dashboard/service/type")]
    [InlineData("priorityClasses[0].name=high", "/priorityClasses/0")]
    [InlineData("training.serviceAccounts[0].name=trainer", "/training/serviceAccounts/0")]
    [InlineData("operator.resources.limits.memory=lots", "/operator/resources/limits/memory")]
    public async Task Template_AWrongValue_IsRefusedByItsPlace(string value, string says)
    {
        var refused = await HelmChart.TemplateAsync("--values", HelmChart.ValuesFile("external"), "--set", value);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("telemetry.url=", "telemetry.url is empty")]
    [InlineData("postgres.enabled=true", "use one of them")]
    [InlineData("networkPolicies.metricsFrom=null", "networkPolicies.metricsFrom is empty")]
    [InlineData("dashboard.token.enabled=false", "nobody could sign in")]
    [InlineData("dashboard.ingress.enabled=true", "dashboard.ingress.host is empty")]
    [InlineData("azure.workloadIdentity.enabled=true", "azure.workloadIdentity.clientId is empty")]
    public async Task Template_ValuesThatDoNotGoTogether_SaysWhatToSet(string value, string says)
    {
        var refused = await HelmChart.TemplateAsync("--values", HelmChart.ValuesFile("external"), "--set", value);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
    }
}

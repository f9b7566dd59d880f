namespace Phi.LocalCluster.Tests;

/// <summary>Kinds that are kept and checked: Deployments, StatefulSets, NetworkPolicies, Ingresses.</summary>
public sealed class WorkloadTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Template = "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}";

    public static TheoryData<string, string> Good => new()
    {
        { "deployment", $"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{selector: {{matchLabels: {{app: web}}}}, {Template}}}" },
        { "statefulset", $"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec: {{serviceName: web, selector: {{matchLabels: {{app: web}}}}, {Template}}}" },
        { "networkpolicy", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec: {podSelector: {}}" },
        { "ingress", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public async Task Object_ThatIsRight_IsKeptByEitherApply(string kind, string manifest)
    {
        var created = await server.KubectlAsync(manifest, "apply", "--server-side", "-f", "-");
        var same = await server.KubectlAsync(manifest, "apply", "--server-side", "-f", "-");
        var shown = await server.KubectlAsync("", "get", kind, "web");

        Assert.True(created.Code == 0 && same.Code == 0, created.Error + same.Error);
        Assert.Equal(kind is "deployment" or "statefulset", created.Error.Contains("Warning: this control plane runs no controller", StringComparison.Ordinal));
        Assert.DoesNotContain("Warning", same.Error, StringComparison.Ordinal);
        Assert.StartsWith("NAME", shown.Output, StringComparison.Ordinal);
        Assert.Equal("1", (await server.KubectlAsync("", "get", kind, "web", "-o", "jsonpath={.metadata.generation}")).Output);
        Assert.True((await server.KubectlAsync("", "delete", kind, "web")).Code == 0);
    }

    [Theory]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec: {selector: {matchLabels: {app: other}}, " + Template + "}", "does not match template")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: []}}}", "spec.template.spec.containers: Required value")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec: {selector: {matchLabels: {app: web}}, replicas: -1, " + Template + "}", "spec.replicas")]
    [InlineData("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: bad}\nspec: {podSelector: {}, policyTypes: [Sideways]}", "spec.policyTypes")]
    [InlineData("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: bad}\nspec: {}", "either `defaultBackend` or `rules`")]
    [InlineData("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: bad}\nspec: {rules: [{http: {paths: [{path: /}]}}]}", "pathType")]
    public async Task Object_ThatIsWrong_IsRefused(string manifest, string says)
    {
        var refused = await server.KubectlAsync(manifest, "apply", "--server-side", "-f", "-");

        Assert.Equal(1, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Selector_OfADeployment_IsImmutable()
    {
        var manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: fixed}\nspec: {selector: {matchLabels: {app: web}}, " + Template + "}";
        await server.KubectlAsync(manifest, "apply", "--server-side", "-f", "-");

        var refused = await server.KubectlAsync(manifest.Replace("app: web", "app: other", StringComparison.Ordinal), "apply", "--server-side", "-f", "-");

        Assert.Contains("spec.selector: Invalid value", refused.Error, StringComparison.Ordinal);
        Assert.Contains("field is immutable", refused.Error, StringComparison.Ordinal);
    }
}

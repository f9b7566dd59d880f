using k8s.Exceptions;
using Phi.Kubernetes;

namespace Phi.Operator.Tests;

public sealed class KubeconfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi kubeconfig ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_NamesServerAndTokenOfTheCurrentContext()
    {
        using var connection = Open("""
            apiVersion: v1
            kind: Config
            preferences: {colors: true}
            current-context: two
            clusters:
            - {name: a, cluster: {server: "https://a:1"}}
            - {name: b, cluster: {server: "https://b:2", insecure-skip-tls-verify: true, extensions: [{name: x, extension: {last-update: today}}]}}
            contexts:
            - {name: one, context: {cluster: a, user: u}}
            - {name: two, context: {cluster: b, user: u, namespace: teams}}
            users:
            - {name: u, user: {token: secret}}
            """);

        Assert.Equal(new Uri("https://b:2"), connection.Server);
        Assert.Equal("secret", connection.Token);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("clusters: [}", "line 1: ")]
    [InlineData("current-context: none\nclusters: []\ncontexts: []\n", "none")]
    public void Open_FileThatIsNone_SaysWhatIsWrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<KubeConfigException>(() => Open(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_FileThatIsNotThere_NamesIt() =>
        Assert.Contains(Path.Combine(_folder, "nowhere"), Assert.Throws<KubeConfigException>(() => KubernetesConnection.Open(Path.Combine(_folder, "nowhere"), "test")).Message, StringComparison.Ordinal);

    private KubernetesConnection Open(string text)
    {
        var path = Path.Combine(_folder, "config");
        File.WriteAllText(path, text);
        return KubernetesConnection.Open(path, "test");
    }
}

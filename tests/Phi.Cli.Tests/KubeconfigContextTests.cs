using k8s.Exceptions;
using Phi.Kubernetes;

namespace Phi.Cli.Tests;

/// <summary>Kubeconfigs taken together as kubectl does.</summary>
public sealed class KubeconfigContextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi kubeconfig ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_TwoFiles_TheFirstOnesNamesAndContextCount()
    {
        var (first, second) = (Write("a", "one", "https://a.example:1", "team-a"), Write("b", "one", "https://b.example:2", "team-b", more: "two"));

        var chosen = KubeconfigContext.Read([first, second], null);
        using var connection = KubernetesConnection.Open(chosen, "test");

        Assert.Equal(("one", "team-a", new Uri("https://a.example:1")), (chosen.Name, chosen.Namespace, connection.Server));
        Assert.Equal(["one", "two"], chosen.Names);
    }

    [Fact]
    public void Read_AContextByName_IsThatOne()
    {
        var file = Write("a", "one", "https://a.example:1", "team-a", more: "two");

        using var connection = KubernetesConnection.Open(KubeconfigContext.Read([file], "two"), "test");

        Assert.Equal(new Uri("https://two.example:1"), connection.Server);
        Assert.Null(KubeconfigContext.Read([file], "two").Namespace);
    }

    [Fact]
    public void Read_AContextThatIsNotThere_NamesThoseThatAre()
    {
        var file = Write("a", "one", "https://a.example:1", "team-a", more: "two");

        Assert.Equal("there is no context 'three'; there is one, two", Assert.Throws<KubeConfigException>(() => KubeconfigContext.Read([file], "three")).Message);
    }

    [Fact]
    public void Read_ACertificateBesideTheSecondFile_IsFoundThere()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        var first = Path.Combine(_folder, "empty");
        File.WriteAllText(first, "apiVersion: v1\nkind: Config\n");
        var second = Path.Combine(_folder, "sub", "config");
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=ca", key, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        File.WriteAllText(Path.Combine(_folder, "sub", "ca.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(second, Text("one", "https://a.example:1", "team-a", null).Replace("server:", "certificate-authority: ca.crt, server:", StringComparison.Ordinal));

        using var connection = KubernetesConnection.Open(KubeconfigContext.Read([first, second], null), "test");

        Assert.Equal(certificate.Thumbprint, Assert.Single(connection.CertificateAuthority!).Thumbprint);
    }

    private string Write(string file, string context, string server, string @namespace, string? more = null)
    {
        var path = Path.Combine(_folder, file);
        File.WriteAllText(path, Text(context, server, @namespace, more));
        return path;
    }

    private static string Text(string context, string server, string @namespace, string? more) => $$$"""
        apiVersion: v1
        kind: Config
        current-context: {{{context}}}
        clusters:
        - {name: {{{context}}}, cluster: {server: "{{{server}}}"}}
        - {name: {{{more ?? "spare"}}}, cluster: {server: "https://{{{more ?? "spare"}}}.example:1"}}
        users:
        - {name: u, user: {token: t}}
        contexts:
        - {name: {{{context}}}, context: {cluster: {{{context}}}, user: u, namespace: {{{@namespace}}}}}
        {{{(more is null ? "" : "- {name: " + more + ", context: {cluster: " + more + ", user: u}}")}}}
        """;
}

using System.Security.Cryptography.X509Certificates;
using Phi.Kubernetes;

namespace Phi.Cli.Tests;

/// <summary>Which API servers a connection believes, and how it says who it is.</summary>
public sealed class TransportTests : IDisposable
{
    private static readonly TestCertificate Authority = TestCertificate.Root("authority");
    private static readonly TestCertificate Stranger = TestCertificate.Root("stranger");
    private readonly string _folder = Directory.CreateTempSubdirectory("phi transport ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Send_ToAServerOfTheKubeconfigsAuthority_IsAnswered() => Assert.Equal("yes", await AskAsync(Authority.Sign("server", "127.0.0.1"), $"certificate-authority-data: {Authority.Data}"));

    [Fact]
    public async Task Send_ToAServerOfAnotherAuthority_IsRefused() =>
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(Stranger.Sign("server", "127.0.0.1"), $"certificate-authority-data: {Authority.Data}"));

    [Fact]
    public async Task Send_ToAServerOfAnotherName_IsRefusedUnlessTheNameIsExpected()
    {
        var server = Authority.Sign("server", "api.example");

        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server, $"certificate-authority-data: {Authority.Data}"));
        Assert.Equal("yes", await AskAsync(server, $"certificate-authority-data: {Authority.Data}, tls-server-name: api.example"));
    }

    [Fact]
    public async Task Send_WithAnIntermediateAuthorityAlone_TrustsWhatItSigned()
    {
        var between = Authority.Sign("between", null);

        Assert.Equal("yes", await AskAsync(between.Sign("server", "127.0.0.1"), $"certificate-authority-data: {between.Data}"));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(Stranger.Sign("between", null).Sign("server", "127.0.0.1"), $"certificate-authority-data: {between.Data}"));
    }

    [Fact]
    public async Task Send_WithoutVerification_IsAnswered() => Assert.Equal("yes", await AskAsync(Stranger.Sign("server", "elsewhere"), "insecure-skip-tls-verify: true"));

    [Fact]
    public async Task Send_WithAClientCertificate_ShowsIt()
    {
        var (client, trusted) = (Authority.Sign("ada", "ada"), $"certificate-authority-data: {Authority.Data}");

        Assert.Equal("CN=ada", await AskAsync(Authority.Sign("server", "127.0.0.1"), trusted, $"client-certificate-data: {client.Data}, client-key-data: {client.KeyData}"));
    }

    /// <summary>What a server with the certificate answers: who it was asked by, or "yes".</summary>
    private async Task<string?> AskAsync(TestCertificate certificate, string cluster, string user = "token: t")
    {
        await using var server = new TlsServer(certificate.WithKey());
        var path = Path.Combine(_folder, "config");
        await File.WriteAllTextAsync(path, $$$"""
            clusters: [{name: c, cluster: {server: "https://127.0.0.1:{{{server.Port}}}", {{{cluster}}}}}]
            users: [{name: u, user: { {{{user}}} }}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """, TestContext.Current.CancellationToken);
        using var connection = KubernetesConnection.Open(KubeconfigContext.Read([path], null), "test");
        return (string?)(await connection.SendAsync(HttpMethod.Get, "version", null, "application/json", TestContext.Current.CancellationToken))["answer"];
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Phi.Api.Crds;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;

namespace Phi.LocalCluster.Tests;

/// <summary>The socket of the API server's owner: no TLS, but the same tokens and rights; whoever cannot use it goes through TLS.</summary>
public sealed class OwnersSocketTests(TestServer server) : IClassFixture<TestServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("another-token", HttpStatusCode.Unauthorized)]
    [InlineData(TestServer.Token, HttpStatusCode.OK)]
    public async Task Socket_ARequest_NeedsAToken(string? token, HttpStatusCode expected)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, ct) => ConnectAsync(ct) });
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);

        using var response = await http.GetAsync(new Uri("http://localhost/api/v1/namespaces"), Ct);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public void Socket_OfAnyFolder_IsItsOwnersAlone() => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.Socket));

    [Theory]
    [InlineData(0, "http")]
    [InlineData(1, "https")]
    public async Task Read_WithASocket_TakesItForItsOwnServerAlone(int portsAway, string scheme)
    {
        var address = server.Http.BaseAddress!;
        var socket = new UnixSocket(new UriBuilder(address) { Port = address.Port - portsAway }.Uri, server.Socket);

        Assert.Equal(scheme, await SchemeOfARequestAsync(KubeconfigContext.Read([server.Kubeconfig], null, socket)));
    }

    [Fact]
    public async Task Socket_OfAPathThatIsTooLong_IsNone()
    {
        var home = Directory.CreateDirectory(Path.Combine(server.Folder, new string('h', 120))).FullName;
        var options = new ApiServerOptions { DataDirectory = Path.Combine(home, "data"), AdminToken = TestServer.Token, KubeconfigPath = Path.Combine(home, "kubeconfig"), SocketPath = Path.Combine(home, "api.sock"), CrdManifests = CrdCatalog.All };
        await using var host = await ApiServerHost.StartAsync(options, Ct);

        Assert.False(File.Exists(options.SocketPath));
        Assert.Equal("https", await SchemeOfARequestAsync(KubeconfigContext.Read([options.KubeconfigPath], null)));
    }

    private static async Task<string?> SchemeOfARequestAsync(KubeconfigContext context)
    {
        using var seen = new SchemeHandler();
        using var connection = KubernetesConnection.Open(context, "test", seen);
        _ = await connection.SendAsync(HttpMethod.Get, "api/v1/namespaces", null, "application/json", Ct);
        return seen.Scheme;
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(server.Socket), ct);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private sealed class SchemeHandler : DelegatingHandler
    {
        public string? Scheme { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Scheme = request.RequestUri!.Scheme;
            return base.SendAsync(request, cancellationToken);
        }
    }
}

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Trainer.Agent;

namespace Phi.Trainer.Tests;

/// <summary>An agent speaks to its operator alone, whichever certificate that has by now.</summary>
public sealed class OperatorTrustTests : IAsyncLifetime
{
    private static readonly Heartbeat Beat = new() { Namespace = "default", Job = "job", JobUid = "uid", Pod = "job-0", PodUid = "pod", ReplicaIndex = 0, Attempt = 1, Ranks = [] };
    private readonly string _folder = Directory.CreateTempSubdirectory("phi trust ").FullName;
    private readonly IPEndPoint _address = FreeEndPoint.Next();
    private X509Certificate2 _shown = null!;
    private WebApplication _server = null!;
    private int _requests;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(_address, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => _shown)));
        _server = builder.Build();
        _server.MapPost(AgentRoutes.Heartbeat, () =>
        {
            Interlocked.Increment(ref _requests);
            return Results.Json(new { command = "Continue", attempt = 1 });
        });
        await _server.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task BeatAsync_CertificateOfAnotherAuthority_IsRefusedBeforeTheTokenIsShown()
    {
        using var own = Authority("own");
        using var other = Authority("own");
        _shown = Issue(other, _address.Address.ToString());
        using var client = Client(own);

        await Assert.ThrowsAsync<HttpRequestException>(() => client.BeatAsync(Beat, Ct));

        Assert.Equal(0, Volatile.Read(ref _requests));
    }

    [Fact]
    public async Task BeatAsync_CertificateRenewed_IsTheSameOperator()
    {
        using var own = Authority("own");
        _shown = Issue(own, _address.Address.ToString());
        using (var client = Client(own))
        {
            await client.BeatAsync(Beat, Ct);
        }

        _shown = Issue(own, _address.Address.ToString());
        using var later = Client(own);
        await later.BeatAsync(Beat, Ct);

        Assert.Equal(2, Volatile.Read(ref _requests));
    }

    /// <summary>A certificate of the user's holds the operator's name, and not the address of each replica.</summary>
    [Theory]
    [InlineData("operator.example", true)]
    [InlineData("elsewhere.example", false)]
    public async Task BeatAsync_ReplicaReachedByItsAddress_ShowsTheOperatorsName(string shown, bool isOperator)
    {
        using var own = Authority("own");
        _shown = Issue(own, shown);
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = new AuthorityTrust(own.ExportCertificatePem, "operator.example").Options() });
        using var content = new StringContent("{}");

        var error = await Record.ExceptionAsync(() => http.PostAsync(new Uri($"https://{_address}{AgentRoutes.Heartbeat}"), content, Ct));

        Assert.Equal(isOperator ? null : typeof(HttpRequestException), error?.GetType());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    public async Task BeatAsync_AuthorityThatCannotBeRead_TrustsNobody(string pem)
    {
        using var own = Authority("own");
        _shown = Issue(own, _address.Address.ToString());
        var file = Path.Combine(_folder, "ca.crt");
        await File.WriteAllTextAsync(file, pem, Ct);
        using var client = new OperatorClient(new Uri($"https://{_address}"), () => "token", file);

        await Assert.ThrowsAsync<HttpRequestException>(() => client.BeatAsync(Beat, Ct));
    }

    private OperatorClient Client(X509Certificate2 authority)
    {
        var file = Path.Combine(_folder, "ca.crt");
        File.WriteAllText(file, authority.ExportCertificatePem());
        return new OperatorClient(new Uri($"https://{_address}"), () => "token", file);
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddMinutes(30), RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }
}

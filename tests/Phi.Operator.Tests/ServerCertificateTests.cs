using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Operator.AgentApi.Tls;

namespace Phi.Operator.Tests;

/// <summary>Certificates of the agent API: what pods trust stays while what replicas show changes.</summary>
public sealed class ServerCertificateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi tls ").FullName;
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);

    private string CertificateFile => Path.Combine(_folder, "tls.crt");

    private string KeyFile => Path.Combine(_folder, "tls.key");

    private string AuthorityFile => Path.Combine(_folder, "ca.crt");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Authority_OfTheFolder_IsTheSameAfterARestartAndForItsOwnerAlone()
    {
        using var first = AuthorityStore.LoadOrCreate(_folder, _clock);
        using var second = AuthorityStore.LoadOrCreate(_folder, _clock);

        Assert.Equal(first.CertificatePem, second.CertificatePem);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "agent-ca.pem")));
    }

    [Fact]
    public void Issued_LessThanThirtyDaysLeft_IsRenewedUnderTheSameAuthority()
    {
        using var certificate = new IssuedCertificate(AuthorityStore.LoadOrCreate(_folder, _clock), ["phi-operator.phi-system.svc", "10.0.0.7"], _clock);
        var (authority, first) = (certificate.AuthorityPem, certificate.Current().TargetCertificate);
        _clock.Advance(TimeSpan.FromDays(59));
        Assert.Equal(first.Thumbprint, certificate.Current().TargetCertificate.Thumbprint);

        _clock.Advance(TimeSpan.FromDays(2));
        var second = certificate.Current().TargetCertificate;

        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
        Assert.Equal(authority, certificate.AuthorityPem);
        Assert.All([first, second], one => Assert.True(Builds(one, authority, one.NotBefore.AddDays(2))));
        Assert.All(["phi-operator.phi-system.svc", "10.0.0.7"], host => Assert.True(second.MatchesHostname(host)));
        Assert.False(second.MatchesHostname("10.0.0.8"));
    }

    [Fact]
    public void Files_ThatChange_AreReadAgainAndKeptWhileTheyAreBroken()
    {
        using var authority = AgentAuthority.Create(_clock.GetUtcNow());
        File.WriteAllText(AuthorityFile, authority.CertificatePem);
        Write(authority, "operator.example");
        using var certificate = new FileCertificate(CertificateFile, KeyFile, AuthorityFile, _clock, NullLogger.Instance);
        Assert.True(Shown(certificate).MatchesHostname("operator.example"));

        Write(authority, "renewed.example");
        Assert.True(Shown(certificate).MatchesHostname("operator.example"));
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Shown(certificate).MatchesHostname("renewed.example"));

        File.WriteAllText(KeyFile, "half");
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Shown(certificate).MatchesHostname("renewed.example"));
        Assert.Equal(authority.CertificatePem, certificate.AuthorityPem);
    }

    [Fact]
    public void Files_OfAnotherAuthority_AreRefusedWithTheRemedy()
    {
        using var authority = AgentAuthority.Create(_clock.GetUtcNow());
        Write(authority, "operator.example");

        var error = Assert.Throws<OperatorOptionException>(() => new FileCertificate(CertificateFile, KeyFile, CertificateFile, _clock, NullLogger.Instance));

        Assert.Contains("--tls-ca-file", error.Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 Shown(FileCertificate certificate) => certificate.Current().TargetCertificate;

    private void Write(AgentAuthority authority, string host)
    {
        using var issued = authority.Issue([host], _clock.GetUtcNow());
        using var key = issued.GetECDsaPrivateKey()!;
        File.WriteAllText(CertificateFile, issued.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }

    private static bool Builds(X509Certificate2 certificate, string authority, DateTime at)
    {
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, VerificationTime = at } };
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(authority);
        return chain.Build(certificate);
    }
}

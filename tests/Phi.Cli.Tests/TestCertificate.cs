using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Phi.Cli.Tests;

/// <summary>A certificate and its key, made for a test.</summary>
internal sealed class TestCertificate(X509Certificate2 certificate, ECDsa key)
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);

    /// <summary>As kubeconfigs hold it.</summary>
    public string Data => Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));

    public string KeyData => Convert.ToBase64String(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));

    public static TestCertificate Root(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = Request(name, key, isAuthority: true).CreateSelfSigned(From, From.AddDays(10));
        return new TestCertificate(X509CertificateLoader.LoadCertificate(own.RawData), key);
    }

    /// <param name="host">Name or address of the server; null: it is an authority itself.</param>
    public TestCertificate Sign(string name, string? host)
    {
        var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, own, host is null);
        if (host is not null)
        {
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
        }

        using var issuer = certificate.CopyWithPrivateKey(key);
        return new TestCertificate(request.Create(issuer, From, From.AddDays(9), RandomNumberGenerator.GetBytes(8)), own);
    }

    public X509Certificate2 WithKey() => certificate.CopyWithPrivateKey(key);

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        return request;
    }
}

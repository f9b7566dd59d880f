using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>
/// The authority that signs the certificates of the operator's replicas. Pods trust it and not a certificate, so that those may change while
/// pods run. P-256, as every client knows it.
/// </summary>
internal sealed class AgentAuthority : IDisposable
{
    /// <summary>Longer than any job runs: pods keep what they were given.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromDays(3650);

    /// <summary>Of a replica's certificate, which no other machine keeps.</summary>
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(90);

    /// <summary>Clocks of machines differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromDays(1);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private readonly X509Certificate2 _certificate;

    private AgentAuthority(X509Certificate2 certificate) => _certificate = certificate;

    public string CertificatePem => _certificate.ExportCertificatePem() + "\n";

    public DateTimeOffset End => new(_certificate.NotAfter.ToUniversalTime());

    public static AgentAuthority Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=phi-orchestrator agents", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new AgentAuthority(request.CreateSelfSigned(now - Skew, now + Life));
    }

    /// <exception cref="CryptographicException">It is no certificate with its key.</exception>
    public static AgentAuthority Read(string certificatePem, string keyPem) => new(X509Certificate2.CreateFromPem(certificatePem, keyPem));

    public string KeyPem()
    {
        using var key = _certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>A certificate for a server of these names and addresses.</summary>
    public X509Certificate2 Issue(IEnumerable<string> hosts, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=phi-operator", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var signed = request.Create(_certificate, now - Skew, now + ServerLife < End ? now + ServerLife : End, RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    public void Dispose() => _certificate.Dispose();
}

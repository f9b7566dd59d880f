using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Phi.Api.Agent;

/// <summary>
/// Trusts a server of the agent API by one authority and no other: a certificate that any public authority signed counts for nothing. The
/// authority is asked for with each connection, so a file of it may be renewed.
/// </summary>
/// <param name="pem">Certificates of the authority; several while one takes the other's place.</param>
/// <param name="name">
/// Of the operator. Agents reach replicas by addresses too, which a certificate of the user's need not hold: whoever has a certificate of
/// this authority for the operator's name is the operator, wherever it listens.
/// </param>
public sealed class AuthorityTrust(Func<string> pem, string name)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    public SslClientAuthenticationOptions Options() => new() { RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accepts(certificate, chain, errors) };

    private bool Accepts(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 server || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return false;
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && !server.MatchesHostname(name))
        {
            return false;
        }

        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        (policy.TrustMode, policy.RevocationMode, policy.DisableCertificateDownloads) = (X509ChainTrustMode.CustomRootTrust, X509RevocationMode.NoCheck, true);
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (sent is not null)
        {
            policy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        }

        try
        {
            policy.CustomTrustStore.ImportFromPem(pem());
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return false;
        }

        return chain.Build(server);
    }
}

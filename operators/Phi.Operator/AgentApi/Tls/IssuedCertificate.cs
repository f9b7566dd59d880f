using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>Of this replica's own authority, renewed in time; nobody else needs it, so it is kept nowhere.</summary>
internal sealed class IssuedCertificate(AgentAuthority authority, IReadOnlyList<string> hosts, TimeProvider time) : IServerCertificate
{
    private static readonly TimeSpan RenewedBefore = TimeSpan.FromDays(30);
    private readonly Lock _lock = new();
    private X509Certificate2? _certificate;
    private SslStreamCertificateContext? _context;

    public DateTimeOffset AuthorityEnd => authority.End;

    public string AuthorityPem { get; } = authority.CertificatePem;

    public SslStreamCertificateContext Current()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_context is null || _certificate!.NotAfter.ToUniversalTime() - now.UtcDateTime < RenewedBefore)
            {
                // The one before may still be in use by a handshake; the collector takes it.
                _certificate = authority.Issue(hosts, now);
                _context = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true);
            }

            return _context;
        }
    }

    public void Dispose()
    {
        _certificate?.Dispose();
        authority.Dispose();
    }
}

using System.Net.Security;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>What a replica's agent API shows, and what pods and other replicas know it by.</summary>
internal interface IServerCertificate : IDisposable
{
    /// <summary>Certificates of the authority, for pods that are created now.</summary>
    string AuthorityPem { get; }

    /// <summary>The certificate with its key as it is now, for one connection.</summary>
    SslStreamCertificateContext Current();
}

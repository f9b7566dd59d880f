using Phi.Operator.AgentApi.Tls;

namespace Phi.Operator.AgentApi;

/// <summary>What the agent API needs of what replicas share.</summary>
internal sealed record AgentSecrets(AgentTokens Tokens, IServerCertificate Certificate) : IDisposable
{
    public void Dispose() => Certificate.Dispose();
}

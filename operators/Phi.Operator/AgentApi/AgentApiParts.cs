using Phi.Kubernetes;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.AgentApi.Tls;
using Phi.Operator.Leader;
using Phi.Operator.Metrics;
using Phi.Operator.Progress;

namespace Phi.Operator.AgentApi;

/// <summary>What the agent API answers from.</summary>
internal sealed record AgentApiParts
{
    public required AgentHub Hub { get; init; }
    public required IServerCertificate Certificate { get; init; }
    public required AgentGate Gate { get; init; }

    /// <summary>For the keys of a gang's pods among each other.</summary>
    public required AgentTokens Tokens { get; init; }
    public required ProgressTracker Progress { get; init; }
    public required Leadership Leadership { get; init; }
    public required LeaderForwarder Forwarder { get; init; }
    public required OperatorMetrics Metrics { get; init; }

    /// <summary>Base URLs for an agent whose operator is gone, best first; null if there is only one.</summary>
    public required Func<IReadOnlyList<string>?> Urls { get; init; }

    /// <summary>Hears of a job whose ranks changed their state.</summary>
    public required Action<ResourceKey> OnNews { get; init; }
}

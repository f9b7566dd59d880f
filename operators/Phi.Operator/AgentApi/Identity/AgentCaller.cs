namespace Phi.Operator.AgentApi.Identity;

/// <summary>Who makes a request, before it is known what for.</summary>
internal abstract record AgentCaller
{
    private AgentCaller()
    {
    }

    /// <summary>A pod, by the token that its node gave it.</summary>
    /// <param name="Token">Shown.</param>
    public sealed record Pod(PodIdentity Identity, string Token) : AgentCaller;

    /// <summary>Perhaps a pod of before (<see cref="LegacyPods"/>); the job that it names will tell.</summary>
    public sealed record Former(string Token) : AgentCaller;
}

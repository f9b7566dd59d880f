namespace Phi.Operator.AgentApi.Identity;

/// <summary>What is known of a token.</summary>
internal abstract record TokenVerdict
{
    private TokenVerdict()
    {
    }

    public sealed record Good(PodIdentity Pod) : TokenVerdict;

    /// <summary>The API server does not take it, or it is no pod's.</summary>
    public sealed record Refused(string Why) : TokenVerdict;

    /// <summary>The API server could not be asked.</summary>
    public sealed record Unknown(string Why) : TokenVerdict;
}

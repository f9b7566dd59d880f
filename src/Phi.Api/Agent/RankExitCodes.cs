namespace Phi.Api.Agent;

/// <summary>Exit codes of a rank, and of an agent that passes its ranks' on.</summary>
public static class RankExitCodes
{
    public const int Completed = 0;
    public const int Failed = 1;
    /// <summary>All ranks agreed on a step, saved it and left.</summary>
    public const int SavedAndLeft = 10;
    /// <summary>A peer stopped answering in a collective.</summary>
    public const int PeerLost = 11;
    /// <summary>A newer attempt has begun: this one commits no checkpoint any more.</summary>
    public const int Superseded = 12;
    /// <summary>Configuration or data that no restart mends.</summary>
    public const int BadInput = 13;
}

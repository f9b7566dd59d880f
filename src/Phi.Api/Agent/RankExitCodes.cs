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
    /// <summary>A newer attempt has begun: nothing of this one may be committed any more.</summary>
    public const int Superseded = 12;
    /// <summary>The loss is not finite, or jumped; nothing was saved after it.</summary>
    public const int Diverged = 14;
    /// <summary>Configuration or data that no restart mends.</summary>
    public const int BadInput = 13;
    /// <summary>The storage of checkpoints did not answer for as long as a rank is patient; another attempt may find it well.</summary>
    public const int StorageUnavailable = 15;
}

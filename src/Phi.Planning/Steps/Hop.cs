namespace Phi.Planning.Steps;

/// <summary>The ranks that a collective is among.</summary>
internal enum HopScope
{
    /// <summary>Of one group: hpZ's, or a pod's.</summary>
    Group,
    /// <summary>One of each group.</summary>
    AcrossGroups,
    World,
}

/// <summary>One collective of a transfer, as one rank takes part in it.</summary>
/// <param name="Message">Bytes that it sends each peer.</param>
/// <param name="Rounds">Times that the peers are gone through: an all-reduce sends parts, then sums.</param>
/// <param name="PassedBefore">Bytes of the accelerator's memory that passes over values move before it, and <paramref name="PassedAfter"/> after it.</param>
internal sealed record Hop(string Collective, HopScope Scope, long Message, double PassedBefore, double PassedAfter, int Rounds = 1);

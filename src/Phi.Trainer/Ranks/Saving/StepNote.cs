using System.Runtime.InteropServices;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>What one rank tells all others at the end of a step. From the same notes all ranks draw the same conclusions.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct StepNote
{
    /// <summary>Its agent asked it to leave.</summary>
    public required bool IsAsked { get; init; }

    /// <summary>The time for a save has come; rank 0's counts.</summary>
    public required bool IsDue { get; init; }

    /// <summary>Of its part of the save in flight.</summary>
    public required WorkState Part { get; init; }

    /// <summary>Rank 0's commit.</summary>
    public required WorkState Commit { get; init; }

    /// <summary>Seconds until it is killed; infinity if it does not know.</summary>
    public required double SecondsLeft { get; init; }

    /// <summary>Seconds of its part of a save, and on rank 0 of the commit, as the last one took; not-a-number if it has seen none.</summary>
    public required double SaveSeconds { get; init; }
}

using System.Text.Json.Serialization;

namespace Phi.Telemetry.Goodput;

/// <summary>What one attempt's time went to, by rank 0's <c>step_seconds</c>; written by the operator.</summary>
public sealed record AttemptGoodput
{
    public required int Attempt { get; init; }

    /// <summary>Steps that were reported; a program may report every tenth. 0: none, and what follows of steps means nothing.</summary>
    public required long Steps { get; init; }

    public required long FirstStep { get; init; }

    public required long LastStep { get; init; }

    /// <summary>When the first step began.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>When the last step was done.</summary>
    public required DateTimeOffset End { get; init; }

    /// <summary>Of steps that no later attempt did again; steps between two reports took as long as the latter.</summary>
    public required double ProductiveSeconds { get; init; }

    /// <summary>Of steps that a later attempt did again.</summary>
    public required double LostSeconds { get; init; }

    /// <summary>First step of the later attempt that went back furthest; null: none came later.</summary>
    public long? LostFromStep { get; init; }

    /// <summary>Of the run so far; null: not reported.</summary>
    public double? Tokens { get; init; }

    /// <summary>Of the first step; null: not reported, or no number.</summary>
    public double? FirstLoss { get; init; }

    /// <summary>The newest; null: not reported.</summary>
    [JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
    public double? Loss { get; init; }

    /// <summary>What training stood still for checkpoints that were not saved.</summary>
    public double MissedStallSeconds { get; init; }

    /// <summary>When the newest of them was missed; null: none was.</summary>
    public DateTimeOffset? MissedUntil { get; init; }
}

/// <summary>Attempts of one run.</summary>
/// <param name="Run">The job's uid.</param>
public sealed record RunGoodput(string Run, IReadOnlyList<AttemptGoodput> Attempts);

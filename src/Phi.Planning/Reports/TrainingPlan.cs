using Phi.Planning.Goodput;
using Phi.Planning.Memory;
using Phi.Planning.Simulation;
using Phi.Planning.Steps;

namespace Phi.Planning.Reports;

/// <summary>What a job will need and take, as far as it can be computed before anything runs.</summary>
public sealed record TrainingPlan
{
    public required string Job { get; init; }

    public required string Accelerator { get; init; }

    public required int Accelerators { get; init; }

    public required int Nodes { get; init; }

    /// <summary>phi, or container: of a program that is not ours nothing but its size is known.</summary>
    public required string Kind { get; init; }

    public long? Parameters { get; init; }

    public long? Steps { get; init; }

    public long? TokensPerStep { get; init; }

    public long? TotalTokens { get; init; }

    public MemoryFigures? Memory { get; init; }

    public StepTraffic? Traffic { get; init; }

    public StepFigures? Step { get; init; }

    public CheckpointFigures? Checkpoint { get; init; }

    /// <summary>Of the steps and the checkpoints' stalls; null where no time can be told.</summary>
    public double? TrainingSeconds { get; init; }

    /// <summary>Accelerators × hours.</summary>
    public double? AcceleratorHours { get; init; }

    /// <summary>The job with each technique of ZeRO++ alone, with all, and with none; empty where there is nothing to gain: one accelerator.</summary>
    public IReadOnlyList<Alternative> Techniques { get; init; } = [];

    /// <summary>Changes that make it fit, the fastest first; empty where it fits.</summary>
    public IReadOnlyList<Alternative> Remedies { get; init; } = [];

    public GoodputFigures? Goodput { get; init; }

    public SimulationFigures? Simulation { get; init; }

    /// <summary>What the figures rest on.</summary>
    public required IReadOnlyList<string> Assumptions { get; init; }
}

/// <param name="CapacityBytes">Null: not known.</param>
public sealed record MemoryFigures(IReadOnlyList<MemoryPart> Parts, long TotalBytes, long? CapacityBytes, bool? Fits);

public sealed record StepFigures(double Seconds, double ComputeSeconds, double ExposedSeconds, double HiddenShare, int Passes, double TokensPerSecond, double Mfu);

/// <param name="Bytes">Of all shards.</param>
/// <param name="StallSeconds">That training stands still for it.</param>
/// <param name="WriteSeconds">Until it is committed, beside the training.</param>
public sealed record CheckpointFigures(long Bytes, double StallSeconds, double WriteSeconds, long EverySteps, long Kept, long KeptBytes);

/// <summary>The same job with something else.</summary>
public sealed record Alternative(string Name, double StepSeconds, double TrainingSeconds, double AcceleratorHours, long MemoryBytes, bool? Fits, long AcrossNodesBytes, long WithinNodesBytes);

/// <param name="Best">The interval with the most goodput.</param>
public sealed record GoodputFigures(double MeanTimeBetweenFailuresHours, double RestartSeconds, IReadOnlyList<GoodputPoint> Curve, GoodputPoint Best, GoodputPoint Planned);

/// <param name="Strong">The global batch stays.</param>
/// <param name="Weak">The global batch grows with the nodes.</param>
public sealed record SimulationFigures(int Nodes, int Accelerators, IReadOnlyList<ScalingPoint> Strong, IReadOnlyList<ScalingPoint> Weak);

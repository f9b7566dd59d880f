using Phi.Training.Loop;
using Phi.Training.Model;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Workers;

/// <summary>What one rank of a measured run does; sent as JSON on its standard input.</summary>
internal sealed record WorkerConfiguration
{
    public int Rank { get; init; }
    public int WorldSize { get; init; } = 1;
    public int NodeRank { get; init; }
    public string MasterAddress { get; init; } = "127.0.0.1";
    public int MasterPort { get; init; }
    public string BindAddress { get; init; } = "127.0.0.1";
    public ModelConfiguration Model { get; init; } = ModelConfiguration.PhiTiny;
    public int GlobalBatch { get; init; } = 8;
    public int MicroBatch { get; init; } = 2;
    public ComputePrecision Precision { get; init; }
    public ZeroConfiguration Zero { get; init; } = new();
    public int WarmupSteps { get; init; } = 2;
    public int Steps { get; init; } = 10;
    public int Threads { get; init; } = 1;
    public long Seed { get; init; } = 1;
    /// <summary>Share of the corpus held out and evaluated at the end; 0: none.</summary>
    public double HeldOutFraction { get; init; }
    /// <summary>The model as one TorchSharp graph with TorchSharp's optimizer instead of our engine; a world of one.</summary>
    public bool IsPlain { get; init; }

    public TrainingConfiguration ToTraining() => new()
    {
        Model = Model,
        GlobalBatch = GlobalBatch,
        MicroBatch = MicroBatch,
        Schedule = new LinearSchedule(30, WarmupSteps + Steps),
        Optimizer = new AdamW { LearningRate = 2e-3f },
        Zero = Zero,
        Precision = Precision,
        Threads = Threads,
        Seed = Seed,
    };
}

/// <summary>Figures of the measured steps of one rank; bytes and seconds are means per step.</summary>
internal sealed record WorkerResult
{
    public double StepSeconds { get; init; }
    public double InterBytes { get; init; }
    public double IntraBytes { get; init; }
    /// <summary>What the network interfaces of this rank's network namespace sent, loopback left out.</summary>
    public double InterfaceBytes { get; init; }
    public double CommunicationSeconds { get; init; }
    public double ExposedSeconds { get; init; }
    /// <summary>Shards of weights, gradients and moments.</summary>
    public long StateBytes { get; init; }
    /// <summary>Gathered weights and their gradients.</summary>
    public long SlotBytes { get; init; }
    public double Loss { get; init; }
    public double EvaluationLoss { get; init; }
}

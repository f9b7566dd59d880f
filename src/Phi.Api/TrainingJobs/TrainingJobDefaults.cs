using System.Text.Json;
using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>Fills in what the user left out. The values are those that the spec's documentation names.</summary>
public static class TrainingJobDefaults
{
    public const double StragglerFactor = 2;
    public const int StragglerSteps = 20;
    public const string FirstReplica = "FirstReplica";
    private const int BytesVocabulary = 257;

    /// <summary>Rows of codegen-350M-mono's embedding: its 50295 tokens, rounded up.</summary>
    private const int CodegenVocabulary = 51200;
    private const int CompletionTokens = 512;
    private const double SeveralSamplesTemperature = 0.8;

    /// <summary>Of pass@k, as papers report it.</summary>
    private static readonly int[] UsualK = [1, 10, 100];

    /// <summary>A copy of the job whose spec has every default; the given job is not changed.</summary>
    public static TrainingJob Apply(TrainingJob job)
    {
        var copy = JsonSerializer.Deserialize<TrainingJob>(JsonSerializer.Serialize(job, PhiJson.Options), PhiJson.Options)!;
        var spec = copy.Spec;
        spec.Suspend ??= false;
        spec.Replicas ??= 1;
        spec.Accelerator ??= new AcceleratorSpec();
        spec.Accelerator.Type ??= "cpu";
        spec.Accelerator.PerReplica ??= 8;
        spec.Template ??= new PodTemplateSpec();
        spec.Template.TerminationGracePeriodSeconds ??= 30;
        spec.Zero ??= new ZeroSpec();
        spec.Zero.Stage ??= 3;
        Apply(spec.Zero);
        if (spec.Phi is { } phi)
        {
            Apply(phi, spec);
        }

        if (spec.Container is { } container)
        {
            container.ProgressFile ??= FirstReplica;
        }

        spec.Checkpoint = Checkpoint(spec.Checkpoint ?? new CheckpointSpec(), copy.Metadata);
        spec.Recovery ??= new RecoverySpec();
        spec.Recovery.MaxRestarts ??= 3;
        spec.Recovery.Backoff ??= "1s";
        spec.Recovery.HangTimeout ??= "10m";
        spec.Recovery.HeartbeatTimeout ??= "10s";
        spec.Recovery.BindTimeout ??= "60s";
        spec.Recovery.StartTimeout ??= "10m";
        var requeuing = spec.Recovery.RequeuingStrategy ??= new RequeuingStrategySpec();
        requeuing.BackoffBase ??= "10s";
        requeuing.BackoffMax ??= "1h";
        var divergence = spec.Recovery.Divergence ??= new DivergenceSpec();
        divergence.Action ??= "Stop";
        divergence.Window ??= 50;
        divergence.MaxRollbacks ??= 3;
        var stragglers = spec.Recovery.Stragglers ??= new StragglerSpec();
        stragglers.Factor ??= StragglerFactor;
        stragglers.Steps ??= StragglerSteps;
        stragglers.Action ??= "Report";
        return copy;
    }

    private static void Apply(ZeroSpec zero)
    {
        if (zero.QuantizedWeights is { } weights)
        {
            weights.Enabled ??= true;
            weights.Bits ??= 8;
            weights.BlockSize ??= 256;
        }

        if (zero.QuantizedGradients is { } gradients)
        {
            gradients.Enabled ??= true;
            gradients.IntraBits ??= 8;
            gradients.InterBits ??= 4;
            gradients.BlockSize ??= 256;
            gradients.ErrorFeedback ??= false;
        }

        if (zero.HierarchicalPartitioning is { } partitioning)
        {
            partitioning.Enabled ??= true;
        }
    }

    private static void Apply(PhiSpec phi, TrainingJobSpec spec)
    {
        phi.Data ??= new DataSpec();
        phi.Model = Model(phi.Model ?? new ModelSpec { Preset = "phi-tiny" }, phi.Data.Tokenizer);
        phi.Data.HeldOutFraction ??= 0;
        if (phi.Initialize is { } initialize)
        {
            initialize.What ??= "weights";
        }

        phi.Batch ??= new BatchSpec();
        phi.Batch.Micro ??= 1;
        phi.Batch.Global ??= phi.Batch.Micro * spec.Replicas * spec.Accelerator!.PerReplica;
        phi.Optimizer ??= new OptimizerSpec();
        var adamW = phi.Optimizer.AdamW ??= new AdamWSpec();
        adamW.LearningRate ??= 1e-3;
        adamW.Beta1 ??= 0.9;
        adamW.Beta2 ??= 0.98;
        adamW.Epsilon ??= 1e-7;
        adamW.WeightDecay ??= 0.1;
        adamW.ClipNorm ??= 1;
        phi.Schedule ??= new ScheduleSpec { Linear = new LinearScheduleSpec() };
        foreach (var ramp in new[] { phi.Schedule.Linear, phi.Schedule.Cosine }.OfType<LinearScheduleSpec>())
        {
            ramp.WarmupSteps ??= Math.Clamp(ramp.TotalSteps ?? phi.Steps ?? 50, 0, 50);
            ramp.TotalSteps ??= phi.Steps;
        }

        if (phi.Schedule.Constant is { } constant)
        {
            constant.WarmupSteps ??= Math.Clamp(phi.Steps ?? 50, 0, 50);
            constant.DecaySteps ??= 0;
        }

        phi.Precision ??= spec.Accelerator!.Type == "cpu" ? "fp32" : "bf16";
        phi.Seed ??= 1;
        phi.ActivationCheckpointing ??= "none";
        if (phi.Evaluation is { } evaluation)
        {
            Apply(evaluation, phi.Model.SequenceLength);
        }
    }

    private static void Apply(EvaluationSpec evaluation, int? sequenceLength)
    {
        evaluation.EveryCheckpoints ??= 1;
        evaluation.Samples ??= 1;
        evaluation.Temperature ??= evaluation.Samples > 1 ? SeveralSamplesTemperature : 0;
        evaluation.TopP ??= 0.95;
        evaluation.MaxTokens ??= Math.Min(CompletionTokens, Math.Max(1, (sequenceLength ?? 2 * CompletionTokens) / 2));
        evaluation.K ??= [.. UsualK.Where(k => k == 1 || k <= evaluation.Samples)];
        evaluation.TimeLimit ??= "5s";
        evaluation.Threads ??= 1;
        evaluation.WaitAtEnd ??= "30m";
    }

    private static ModelSpec Model(ModelSpec given, TokenizerSpec? tokenizer)
    {
        var preset = given.Preset is { } name ? ModelPresets.Find(name) : null;
        given.Layers ??= preset?.Layers;
        given.HiddenSize ??= preset?.HiddenSize;
        given.Heads ??= preset?.Heads;
        given.RotaryDim ??= preset?.RotaryDim;
        given.MlpSize ??= preset?.MlpSize;
        given.VocabularySize ??= preset?.VocabularySize ?? tokenizer switch
        {
            { Bytes: not null } => BytesVocabulary,
            { Codegen: not null } => CodegenVocabulary,
            // Only the node has the files that say.
            _ => null,
        };
        given.SequenceLength ??= preset?.SequenceLength;
        given.Dropout ??= 0;
        return given;
    }

    private static CheckpointSpec Checkpoint(CheckpointSpec given, ObjectMeta job)
    {
        given.Store ??= new CheckpointStoreSpec { Folder = new FolderStoreSpec() };
        if (job.Uid is { Length: >= 8 } uid)
        {
            var own = $"{job.Namespace ?? "default"}/{job.Name}-{uid[..8]}";
            given.Store.Folder?.Path ??= own;
            given.Store.AzureBlob?.Prefix ??= own;
        }

        given.EverySteps ??= 500;
        given.KeepLast ??= 3;
        given.InMemory?.EverySteps ??= 10;
        given.OnPreemption ??= true;
        return given;
    }
}

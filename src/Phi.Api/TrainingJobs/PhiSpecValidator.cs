using System.Text.Json.Nodes;

namespace Phi.Api.TrainingJobs;

/// <summary>Rules of the built-in trainer's block; defaults are applied.</summary>
internal static class PhiSpecValidator
{
    /// <summary>The bytes, and the token that ends a document.</summary>
    private const int ByteTokens = 257;

    public static void Validate(PhiSpec phi, TrainingJobSpec spec, ErrorList errors)
    {
        Model(phi, errors);
        Initialize(phi.Initialize, spec.Template?.Env, errors);
        Data(phi.Data!, errors);
        Batch(phi.Batch!, spec, errors);
        errors.Required("spec.phi.steps", phi.Steps, "say how many optimizer steps to take");
        errors.Range("spec.phi.steps", phi.Steps, 1, long.MaxValue, "take at least one step");
        Optimizer(phi.Optimizer!.AdamW!, errors);
        Schedule(phi.Schedule!, errors, compareLengths: phi.Steps > 0);
        errors.OneOf("spec.phi.precision", phi.Precision, ["fp32", "bf16", "fp16"]);
        errors.OneOf("spec.phi.activationCheckpointing", phi.ActivationCheckpointing, ["none", "full"]);
        if (phi.Evaluation is { } evaluation)
        {
            EvaluationSpecValidator.Validate(evaluation, errors);
        }
    }

    private static void Model(PhiSpec phi, ErrorList errors)
    {
        var model = phi.Model!;
        if (model.Preset is { } preset && ModelPresets.Find(preset) is null)
        {
            errors.Add("spec.phi.model.preset", preset, $"must be one of {string.Join(", ", ModelPresets.Names)}", "choose one, or give every dimension");
            return;
        }

        (string Name, int? Value, int Most)[] dimensions =
        [
            ("layers", model.Layers, 1000), ("hiddenSize", model.HiddenSize, 1 << 16), ("heads", model.Heads, 1 << 12), ("rotaryDim", model.RotaryDim, 1 << 12),
            ("mlpSize", model.MlpSize, 1 << 18), ("vocabularySize", model.VocabularySize, 1 << 20), ("sequenceLength", model.SequenceLength, 1 << 20),
        ];
        foreach (var (name, value, most) in dimensions)
        {
            if (name != "vocabularySize")
            {
                errors.Required($"spec.phi.model.{name}", value, "give it, or a preset");
            }

            errors.Range($"spec.phi.model.{name}", value, 1, most, "choose a size within the range");
        }

        if (model is { HiddenSize: { } hidden, Heads: > 0 and var heads })
        {
            if (hidden % heads != 0)
            {
                errors.Add("spec.phi.model.heads", heads, $"must divide hiddenSize ({hidden})", $"choose a divisor, such as {Divisor(hidden, heads)}");
            }
            else if (model.RotaryDim is { } rotary && (rotary % 2 != 0 || rotary > hidden / heads))
            {
                errors.Add("spec.phi.model.rotaryDim", rotary, $"must be even and at most the head size, hiddenSize / heads ({hidden / heads})", hidden / heads < 2 ? "take fewer heads" : $"write half the head size, such as {Math.Max(2, hidden / heads / 4 * 2)}");
            }
        }

        if (model.VocabularySize is >= 1 and < ByteTokens and var vocabulary)
        {
            errors.Add("spec.phi.model.vocabularySize", vocabulary, $"must be at least {ByteTokens}: in every tokenizer each byte is a token, and one ends a document", $"write {ByteTokens}");
        }

        errors.Range("spec.phi.model.dropout", model.Dropout, 0, 0.99, "write a probability below 1");
    }

    private static void Initialize(InitializeSpec? initialize, JsonArray? env, ErrorList errors)
    {
        if (initialize is null)
        {
            return;
        }

        const string From = "spec.phi.initialize.from";
        errors.ExactlyOne(From, [("job", initialize.From?.Job), ("folder", initialize.From?.Folder), ("azureBlob", initialize.From?.AzureBlob)]);
        errors.Range("spec.phi.initialize.step", initialize.Step, 0, long.MaxValue, "leave it out for the newest checkpoint");
        errors.OneOf("spec.phi.initialize.what", initialize.What, ["weights", "everything"]);
        if (initialize.From?.Folder is { } folder)
        {
            errors.Required($"{From}.folder.path", folder.Path, "name the folder that holds the checkpoints");
            if (folder.Path?.Split('/').Contains("..") == true)
            {
                errors.Add($"{From}.folder.path", folder.Path, "must not contain '..'", "name a folder below the checkpoint root, or an absolute path");
            }
        }

        if (initialize.From?.AzureBlob is { } blob)
        {
            AzureBlobStoreValidator.Validate($"{From}.azureBlob", blob, errors);
            AzureBlobStoreValidator.Credential($"{From}.azureBlob", blob, env, isStore: false, errors);
        }
    }

    /// <summary>The largest number of heads up to the given one that divides the hidden size.</summary>
    private static int Divisor(int hidden, int heads) => Enumerable.Range(0, Math.Clamp(hidden, 1, heads)).Select(less => Math.Clamp(hidden, 1, heads) - less).First(divisor => hidden % divisor == 0);

    private static void Data(DataSpec data, ErrorList errors)
    {
        if (data.Sources is null or [])
        {
            errors.Add("spec.phi.data.sources", null, "must name at least one file, folder or glob", "add the files to train on");
        }

        foreach (var (i, source) in (data.Sources ?? []).Index())
        {
            if (string.IsNullOrWhiteSpace(source))
            {
                errors.Add($"spec.phi.data.sources[{i}]", "''", "must not be empty", "remove it, or name a file, folder or glob");
            }
        }

        if (data.Tokenizer is { } tokenizer)
        {
            errors.ExactlyOne("spec.phi.data.tokenizer", [("bytes", tokenizer.Bytes), ("codegen", tokenizer.Codegen), ("bpe", tokenizer.Bpe)]);
            VocabularyFiles("codegen", tokenizer.Codegen, errors);
            VocabularyFiles("bpe", tokenizer.Bpe, errors);
        }

        errors.Range("spec.phi.data.heldOutFraction", data.HeldOutFraction, 0, 0.5, "hold out at most half");
        if (data.Filter is { } filter)
        {
            DataFilterValidator.Validate(filter, errors);
        }
    }

    private static void VocabularyFiles(string kind, VocabularyFilesSpec? files, ErrorList errors)
    {
        foreach (var (name, path, file) in files is null ? [] : new[] { ("vocabulary", files.Vocabulary, "vocab.json"), ("merges", files.Merges, "merges.txt") })
        {
            var field = $"spec.phi.data.tokenizer.{kind}.{name}";
            errors.Required(field, path, $"name the {file} on the nodes");
            if (path is not null && !path.StartsWith('/'))
            {
                errors.Add(field, path, "must be an absolute path, because a pod has no folder that it could be relative to", $"name the {file} on the nodes");
            }
        }
    }

    private static void Batch(BatchSpec batch, TrainingJobSpec spec, ErrorList errors)
    {
        errors.Range("spec.phi.batch.global", batch.Global, 1, 1 << 24, "take at least one sequence a step");
        errors.Range("spec.phi.batch.micro", batch.Micro, 1, 1 << 16, "take at least one sequence a pass");
        if (batch is { Global: > 0 and var global, Micro: > 0 and var micro } && spec is { Replicas: > 0 and var replicas, Accelerator.PerReplica: > 0 and var perReplica })
        {
            var perPass = (long)micro * replicas * perReplica;
            if (global % perPass != 0)
            {
                errors.Add("spec.phi.batch.global", global, $"must be a multiple of micro × replicas × perReplica ({micro} × {replicas} × {perReplica} = {perPass})", $"write {Math.Max(1, global / perPass) * perPass}, or change micro");
            }
        }
    }

    private static void Optimizer(AdamWSpec adamW, ErrorList errors)
    {
        errors.Range("spec.phi.optimizer.adamW.learningRate", adamW.LearningRate, double.Epsilon, 10, "phi-1 uses 1e-3");
        errors.Range("spec.phi.optimizer.adamW.beta1", adamW.Beta1, 0, 0.999999, "leave it out for 0.9");
        errors.Range("spec.phi.optimizer.adamW.beta2", adamW.Beta2, 0, 0.999999, "leave it out for 0.98");
        errors.Range("spec.phi.optimizer.adamW.epsilon", adamW.Epsilon, double.Epsilon, 1, "leave it out for 1e-7");
        errors.Range("spec.phi.optimizer.adamW.weightDecay", adamW.WeightDecay, 0, 10, "write 0 for none");
        errors.Range("spec.phi.optimizer.adamW.clipNorm", adamW.ClipNorm, 0, double.MaxValue, "write 0 for no clipping");
    }

    private static void Schedule(ScheduleSpec schedule, ErrorList errors, bool compareLengths)
    {
        errors.ExactlyOne("spec.phi.schedule", [("linear", schedule.Linear), ("cosine", schedule.Cosine), ("constant", schedule.Constant)]);
        errors.Range("spec.phi.schedule.constant.warmupSteps", schedule.Constant?.WarmupSteps, 0, long.MaxValue, "write 0 for none");
        errors.Range("spec.phi.schedule.constant.decaySteps", schedule.Constant?.DecaySteps, 0, long.MaxValue, "write 0 for none");
        foreach (var (name, ramp) in new[] { ("linear", schedule.Linear), ("cosine", schedule.Cosine) })
        {
            errors.Range($"spec.phi.schedule.{name}.warmupSteps", ramp?.WarmupSteps, 0, long.MaxValue, "write 0 for none");
            if (compareLengths && ramp is { WarmupSteps: { } warmup, TotalSteps: { } total } && total < warmup)
            {
                errors.Add($"spec.phi.schedule.{name}.totalSteps", total, $"must be at least warmupSteps ({warmup})", "raise it, or lower warmupSteps");
            }
        }
    }
}

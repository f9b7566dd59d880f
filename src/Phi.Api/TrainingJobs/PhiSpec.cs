namespace Phi.Api.TrainingJobs;

/// <summary>The built-in trainer's job: a phi-style decoder.</summary>
public sealed class PhiSpec
{
    public ModelSpec? Model { get; set; }
    /// <summary>Null: random weights.</summary>
    public InitializeSpec? Initialize { get; set; }
    public DataSpec? Data { get; set; }
    public BatchSpec? Batch { get; set; }
    /// <summary>Optimizer steps, at least 1. Required.</summary>
    public long? Steps { get; set; }
    public OptimizerSpec? Optimizer { get; set; }
    public ScheduleSpec? Schedule { get; set; }
    /// <summary>fp32, bf16 or fp16. Default fp32 on cpu, bf16 on GPUs.</summary>
    public string? Precision { get; set; }
    /// <summary>Seed of data order, dropout and initial weights. Default 1.</summary>
    public long? Seed { get; set; }
    /// <summary>none or full. Default none.</summary>
    public string? ActivationCheckpointing { get; set; }
    /// <summary>Null: checkpoints are not evaluated. A change counts from the next attempt on.</summary>
    public EvaluationSpec? Evaluation { get; set; }
}

/// <summary>A preset (phi-1, phi-1-small, phi-tiny), or all dimensions; a given dimension overrides the preset's.</summary>
public sealed class ModelSpec
{
    public string? Preset { get; set; }
    public int? Layers { get; set; }
    public int? HiddenSize { get; set; }
    public int? Heads { get; set; }
    public int? RotaryDim { get; set; }
    public int? MlpSize { get; set; }
    /// <summary>Rows of the embedding, at least the tokenizer's tokens. Default: the preset's; without one 257 for bytes, 51200 for codegen, the tokenizer's for bpe and prepared data.</summary>
    public int? VocabularySize { get; set; }
    public int? SequenceLength { get; set; }
    public double? Dropout { get; set; }
}

public sealed class DataSpec
{
    /// <summary>A folder that phi data prepare made, or folders, files and globs of text, JSON Lines and Parquet, absolute. At least one.</summary>
    public List<string>? Sources { get; set; }
    public TokenizerSpec? Tokenizer { get; set; }
    /// <summary>Share of the documents that is never trained on, from 0 to 0.5; its loss is reported at every checkpoint. Default 0. Prepared data have their own.</summary>
    public double? HeldOutFraction { get; set; }
    /// <summary>Which documents to leave out before they are tokenized. Null: exact duplicates alone. Not for prepared data, which have their own rules.</summary>
    public DataFilterSpec? Filter { get; set; }
}

/// <summary>Rules by which documents are left out, in the order of docs/data-quality.md. Null: a rule is off.</summary>
public sealed class DataFilterSpec
{
    /// <summary>Whether to leave out documents that are not UTF-8 or have a NUL. Default false.</summary>
    public bool? OnlyText { get; set; }
    /// <summary>Least bytes of a document, at least 1.</summary>
    public long? MinBytes { get; set; }
    /// <summary>Most bytes of a document, at least 1 and minBytes.</summary>
    public long? MaxBytes { get; set; }
    /// <summary>Most characters of the longest line, at least 1.</summary>
    public long? MaxLineLength { get; set; }
    /// <summary>Most characters of a line on average, above 0.</summary>
    public double? MaxMeanLineLength { get; set; }
    /// <summary>Least share of letters and digits among the characters, from 0 to 1.</summary>
    public double? MinAlphanumeric { get; set; }
    /// <summary>Least share of comments and docstrings in Python, from 0 to 1.</summary>
    public double? MinComments { get; set; }
    /// <summary>Greatest share of comments and docstrings in Python, from minComments to 1.</summary>
    public double? MaxComments { get; set; }
    /// <summary>Whether to leave out Python that the python3 of the node does not parse. Default false.</summary>
    public bool? PythonParses { get; set; }
    public DataClassifierSpec? Classifier { get; set; }
    /// <summary>Leave out documents of at least this Jaccard similarity to an earlier one, from 0.5 to 1.</summary>
    public double? NearDuplicates { get; set; }
}

/// <summary>A model of phi data train-filter, and the least score of a document that is kept.</summary>
public sealed class DataClassifierSpec
{
    /// <summary>Absolute path of the model on the nodes. Required.</summary>
    public string? Model { get; set; }
    /// <summary>From 0 to 1. Default 0.5.</summary>
    public double? Threshold { get; set; }
}

/// <summary>Exactly one. Null: that of the prepared data, else bytes.</summary>
public sealed class TokenizerSpec
{
    public BytesTokenizerSpec? Bytes { get; set; }
    public VocabularyFilesSpec? Codegen { get; set; }
    public VocabularyFilesSpec? Bpe { get; set; }
}

public sealed class BytesTokenizerSpec;

/// <summary>Byte-level BPE in GPT-2's two files; codegen adds its tokens for runs of spaces and tabs.</summary>
public sealed class VocabularyFilesSpec
{
    /// <summary>Absolute path of vocab.json on the nodes. Required.</summary>
    public string? Vocabulary { get; set; }
    /// <summary>Absolute path of merges.txt on the nodes. Required.</summary>
    public string? Merges { get; set; }
}

/// <summary>Global: sequences per optimizer step over all ranks. Micro: sequences per rank and forward pass.</summary>
public sealed class BatchSpec
{
    public int? Global { get; set; }
    public int? Micro { get; set; }
}

public sealed class OptimizerSpec
{
    public AdamWSpec? AdamW { get; set; }
}

/// <summary>Defaults: 1e-3, 0.9, 0.98, 1e-7, 0.1, 1.0 (clipNorm 0 turns clipping off).</summary>
public sealed class AdamWSpec
{
    public double? LearningRate { get; set; }
    public double? Beta1 { get; set; }
    public double? Beta2 { get; set; }
    public double? Epsilon { get; set; }
    public double? WeightDecay { get; set; }
    public double? ClipNorm { get; set; }
}

/// <summary>Exactly one. Null: linear with 50 warm-up steps (fewer if the run is shorter) over all steps.</summary>
public sealed class ScheduleSpec
{
    public LinearScheduleSpec? Linear { get; set; }
    public LinearScheduleSpec? Cosine { get; set; }
    public ConstantScheduleSpec? Constant { get; set; }
}

public sealed class LinearScheduleSpec
{
    public long? WarmupSteps { get; set; }
    /// <summary>Step at which the rate reaches its minimum. Default: steps.</summary>
    public long? TotalSteps { get; set; }
}

/// <summary>Warm-up, a constant rate, and linear decay to zero over the last decaySteps (default 0: none).</summary>
public sealed class ConstantScheduleSpec
{
    public long? WarmupSteps { get; set; }
    public long? DecaySteps { get; set; }
}

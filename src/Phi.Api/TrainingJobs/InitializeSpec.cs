namespace Phi.Api.TrainingJobs;

/// <summary>The checkpoint that a job begins with instead of random weights. Once it has checkpoints of its own it continues from those.</summary>
public sealed class InitializeSpec
{
    public InitializeSourceSpec? From { get; set; }
    /// <summary>Step of the checkpoint. Default: the newest good one.</summary>
    public long? Step { get; set; }
    /// <summary>weights: fine-tuning, from step 0 with zero moments; the tokenizer and the model must be the same, sequenceLength may be smaller. everything: the run goes on under another name, with its step and moments; data and seed must be the same too. Default weights.</summary>
    public string? What { get; set; }
}

/// <summary>Exactly one.</summary>
public sealed class InitializeSourceSpec
{
    /// <summary>Name of a TrainingJob of the same namespace. Until it has committed a checkpoint the job waits.</summary>
    public string? Job { get; set; }
    public FolderStoreSpec? Folder { get; set; }
    public AzureBlobStoreSpec? AzureBlob { get; set; }
}

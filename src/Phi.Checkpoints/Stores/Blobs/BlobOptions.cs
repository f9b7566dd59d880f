using Azure.Core;
using Azure.Core.Pipeline;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>How blobs are moved.</summary>
public sealed record BlobOptions
{
    /// <summary>Size of a file's first blocks, and of the ranges by which one is read. Default 8 MiB.</summary>
    public int BlockBytes { get; init; } = 8 << 20;

    /// <summary>Blocks of one file, or ranges of one read, on their way at once. A write holds one buffer more than that. Default 4.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>For how long a request that fails in passing is tried again. Default 2 minutes.</summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After which a try without an answer counts as failed. Default 60 seconds.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Field of a job's spec that names the storage, for messages. Default spec.checkpoint.store.azureBlob.</summary>
    public string Field { get; init; } = "spec.checkpoint.store.azureBlob";

    /// <summary>By which retries wait.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Signs in where no key and no signature is given. Null: DefaultAzureCredential.</summary>
    internal TokenCredential? Identity { get; init; }

    /// <summary>Stands between the client and the network. Null: nothing does.</summary>
    internal HttpPipelinePolicy? Interceptor { get; init; }
}

namespace Phi.Api.TrainingJobs;

/// <summary>ZeRO stage and ZeRO++ techniques (arXiv 2306.10209).</summary>
public sealed class ZeroSpec
{
    /// <summary>0 to 3. Default 3.</summary>
    public int? Stage { get; set; }
    public QuantizedWeightsSpec? QuantizedWeights { get; set; }
    public HierarchicalPartitioningSpec? HierarchicalPartitioning { get; set; }
    public QuantizedGradientsSpec? QuantizedGradients { get; set; }
}

/// <summary>qwZ. Bits 8; block 64 to 2048, a power of two, default 256.</summary>
public sealed class QuantizedWeightsSpec
{
    public bool? Enabled { get; set; }
    public int? Bits { get; set; }
    public int? BlockSize { get; set; }
}

/// <summary>hpZ. Group: ranks that hold a whole secondary copy. Default: the ranks of one pod.</summary>
public sealed class HierarchicalPartitioningSpec
{
    public bool? Enabled { get; set; }
    public int? GroupSize { get; set; }
}

/// <summary>qgZ. Bits 4 or 8 on each hop; defaults 8 within a node and 4 across.</summary>
public sealed class QuantizedGradientsSpec
{
    public bool? Enabled { get; set; }
    public int? IntraBits { get; set; }
    public int? InterBits { get; set; }
    public int? BlockSize { get; set; }
    public bool? ErrorFeedback { get; set; }
}

namespace Phi.Api.TrainingJobs;

/// <summary>
/// Tests of the model's code beside training: programs that it writes are run, and counted if they pass. Read by the agent of the job's first
/// pod, which evaluates one checkpoint at a time at the lowest priority; training never waits for it, and goes on whatever comes of it.
/// </summary>
public sealed class EvaluationSpec
{
    /// <summary>From 1 to 8, each name once.</summary>
    public List<EvaluationSuiteSpec>? Suites { get; set; }
    /// <summary>Every so many committed checkpoints are evaluated, at least 1; the last one of the job always is. Default 1.</summary>
    public int? EveryCheckpoints { get; set; }
    /// <summary>Completions of each problem, from 1 to 1000. Default 1.</summary>
    public int? Samples { get; set; }
    /// <summary>0: the likeliest token each time, from 0 to 10. Several samples need more than 0. Default 0 for one sample, else 0.8.</summary>
    public double? Temperature { get; set; }
    /// <summary>Tokens are drawn from the likeliest ones that have this share of the probability together, above 0 to 1. Default 0.95.</summary>
    public double? TopP { get; set; }
    /// <summary>Tokens of a completion, from 1 to 8192. Default 512, or half of sequenceLength if that is less.</summary>
    public int? MaxTokens { get; set; }
    /// <summary>The k of pass@k, each from 1 to samples, at most 8. Default 1, 10 and 100, as far as there are as many samples.</summary>
    public List<int>? K { get; set; }
    /// <summary>Only the first so many problems of each suite, at least 1. Default: all.</summary>
    public int? Limit { get; set; }
    /// <summary>For one program to run, from 1s to 10m. Default 5s.</summary>
    public string? TimeLimit { get; set; }
    /// <summary>Threads of the CPU that generate, and programs that run at once, from 1 to 256. Default 1.</summary>
    public int? Threads { get; set; }
    /// <summary>How long the first pod stays after the last step for the last checkpoint's evaluation, up to 24h; 0s: not at all. Default 30m.</summary>
    public string? WaitAtEnd { get; set; }
}

/// <summary>Problems in the file that their authors publish.</summary>
public sealed class EvaluationSuiteSpec
{
    /// <summary>humaneval or mbpp. Required.</summary>
    public string? Name { get; set; }
    /// <summary>Absolute path on the nodes, or an http or https address. Required.</summary>
    public string? File { get; set; }
    /// <summary>SHA-256 of the file, in 64 lower-case hexadecimal digits; another file is not used. Required for an address, but of humaneval: there it is that of the published file.</summary>
    public string? Sha256 { get; set; }
}

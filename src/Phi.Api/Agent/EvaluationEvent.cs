namespace Phi.Api.Agent;

/// <summary>
/// What came of one checkpoint and one suite, after the <see cref="EvaluatedProblem"/>s of it; reported by the first pod's agent, in a batch of
/// the attempt that committed the checkpoint. Keyed by (run, step, suite): one that comes again takes the place of the one before.
/// </summary>
public sealed record EvaluationEvent
{
    /// <summary>A newer checkpoint was committed before this one's turn.</summary>
    public const string Overtaken = "Overtaken";

    /// <summary>The suite's file cannot be had, or is not the one that was named.</summary>
    public const string SuiteUnusable = "SuiteUnusable";

    /// <summary>The kernel or the pod gives no place to run what a model writes.</summary>
    public const string SandboxRefused = "SandboxRefused";

    /// <summary>The checkpoint cannot be read, or the model cannot be sampled from.</summary>
    public const string GenerationFailed = "GenerationFailed";

    /// <summary>The evaluation ended by an error of its own.</summary>
    public const string Failed = "Failed";

    /// <summary>The pod had to leave, or had waited for as long as it may.</summary>
    public const string NoTime = "NoTime";

    /// <summary>Of the checkpoint.</summary>
    public required long Step { get; init; }
    /// <summary>As in spec.phi.evaluation.suites.</summary>
    public required string Suite { get; init; }
    /// <summary>When it was evaluated, or given up.</summary>
    public required DateTimeOffset Time { get; init; }
    /// <summary>When the checkpoint was committed: there lies the score on a curve over time.</summary>
    public required DateTimeOffset Committed { get; init; }
    /// <summary>Why there is no score; null: there is one.</summary>
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public int Problems { get; init; }
    /// <summary>Of each problem.</summary>
    public int Samples { get; init; }
    /// <summary>Of all samples.</summary>
    public int Passed { get; init; }
    /// <summary>pass@k by k, each from 0 to 1.</summary>
    public IReadOnlyDictionary<int, double> PassAt { get; init; } = new Dictionary<int, double>();
    public double Temperature { get; init; }
    public double TopP { get; init; }
    public int MaxTokens { get; init; }
    /// <summary>SHA-256 of the suite's file.</summary>
    public string? Sha256 { get; init; }
    public double Seconds { get; init; }
}

/// <summary>One problem's prompt, and its first samples. Keyed by (run, step, suite, number).</summary>
public sealed record EvaluatedProblem
{
    public const int MostSamples = 5;
    public const int MostPrompt = 8192;
    public const int MostCompletion = 8192;
    public const int MostOutput = 4096;

    public required long Step { get; init; }
    public required string Suite { get; init; }
    /// <summary>In the order of the suite, from 0.</summary>
    public required int Number { get; init; }
    /// <summary>As the suite calls it, such as HumanEval/0.</summary>
    public required string Name { get; init; }
    /// <summary>Up to <see cref="MostPrompt"/> characters of it.</summary>
    public required string Prompt { get; init; }
    /// <summary>All that were drawn.</summary>
    public required int Samples { get; init; }
    public required int Passed { get; init; }
    /// <summary>The first ones, at most <see cref="MostSamples"/>.</summary>
    public required IReadOnlyList<EvaluatedSample> Shown { get; init; }
}

/// <summary>One program that the model wrote.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Verdict"><see cref="Passed"/>, or how it failed, such as TimedOut.</param>
/// <param name="Completion">Up to <see cref="EvaluatedProblem.MostCompletion"/> characters of it.</param>
/// <param name="Output">Up to <see cref="EvaluatedProblem.MostOutput"/> characters of what the program wrote.</param>
public sealed record EvaluatedSample(int Number, string Verdict, string Completion, string Output)
{
    public const string Passed = "Passed";

    /// <summary>Characters that the completion has beyond those here.</summary>
    public long CompletionCut { get; init; }

    /// <summary>Characters that the output has beyond those here.</summary>
    public long OutputCut { get; init; }
}

namespace Phi.Evaluation.Suites;

/// <summary>The problems of a file.</summary>
/// <param name="Source">The path or URL it came from.</param>
/// <param name="Sha256">Digest of the file's bytes, in lower case.</param>
public sealed record Suite(SuiteKind Kind, string Source, string Sha256, IReadOnlyList<Problem> Problems)
{
    /// <summary>Where a completion ends, as the field has it: Codex paper, section 2, and for MBPP the BigCode harness.</summary>
    public IReadOnlyList<string> StopSequences { get; } = Kind switch
    {
        SuiteKind.HumanEval => ["\nclass", "\ndef", "\n#", "\nif", "\nprint"],
        _ => ["\nclass", "\nassert", "\n\"\"\"", "\nprint", "\nif"],
    };

    /// <exception cref="EvaluationException">The suite has fewer.</exception>
    public Suite First(int count) => count <= Problems.Count
        ? this with { Problems = [.. Problems.Take(count)] }
        : throw new EvaluationException($"{Source} holds {Problems.Count} problems of the test part; the first {count} are more. Ask for at most {Problems.Count}.");
}

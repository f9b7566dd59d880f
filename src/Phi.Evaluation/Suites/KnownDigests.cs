namespace Phi.Evaluation.Suites;

/// <summary>SHA-256 of the files that the suites' authors publish.</summary>
public static class KnownDigests
{
    /// <summary>Of HumanEval <c>HumanEval.jsonl.gz</c> of openai/human-eval, and the same unpacked.</summary>
    public static IReadOnlyDictionary<SuiteKind, IReadOnlyList<string>> Of { get; } = new Dictionary<SuiteKind, IReadOnlyList<string>>
    {
        [SuiteKind.HumanEval] =
        [
            "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
            "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2",
        ],
        // Copies of both files go about in more than one form: the digest is the user's to give.
        [SuiteKind.Mbpp] = [],
    };
}

namespace Phi.Evaluation.Suites;

/// <summary>One problem of a suite: what the model is shown, and what decides.</summary>
public sealed record Problem
{
    /// <summary>Such as <c>HumanEval/12</c> or <c>MBPP/11</c>.</summary>
    public required string TaskId { get; init; }

    public required string Prompt { get; init; }

    /// <summary>What a right model would have written after the prompt.</summary>
    public required string CanonicalCompletion { get; init; }

    /// <summary>The function that the test's <c>check</c> is given; null: the tests call by name what the reference solution defines.</summary>
    public string? EntryPoint { get; init; }

    /// <summary>The prompt is the beginning of the program; otherwise the completion is all of it.</summary>
    public required bool IsPromptCode { get; init; }

    /// <summary>Python of the test, each part run after the one before.</summary>
    public required IReadOnlyList<string> Tests { get; init; }
}

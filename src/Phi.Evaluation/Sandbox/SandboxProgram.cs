namespace Phi.Evaluation.Sandbox;

/// <summary>What is judged, and by what.</summary>
public sealed record SandboxProgram
{
    /// <summary>The generated program; nothing of it is trusted.</summary>
    public required string Program { get; init; }

    /// <summary>A solution that is right. It runs beside the tests, and never sees the program.</summary>
    public required string Reference { get; init; }

    /// <summary>The function that the tests' <c>check</c> is given; null: the tests are statements.</summary>
    public string? EntryPoint { get; init; }

    public required IReadOnlyList<string> Tests { get; init; }
}

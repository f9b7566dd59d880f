namespace Phi.Evaluation;

/// <summary>How the judgement of one program ended. All but <see cref="Passed"/> count as not solved.</summary>
public enum Verdict
{
    /// <summary>Every test held, to the end.</summary>
    Passed,

    /// <summary>A test did not hold, or the program lacks what is tested.</summary>
    Failed,

    /// <summary>The program raised an exception, where it was loaded or called.</summary>
    Raised,

    /// <summary>The program is no Python.</summary>
    SyntaxError,

    /// <summary>The program's process ended before the test did: it left, or broke down.</summary>
    Ended,

    /// <summary>The time, or that of the processor, was over.</summary>
    TimedOut,

    /// <summary>It wanted more memory than it may have.</summary>
    OutOfMemory,
}

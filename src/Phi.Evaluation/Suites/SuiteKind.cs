namespace Phi.Evaluation.Suites;

public enum SuiteKind
{
    /// <summary>164 functions to complete (arXiv 2107.03374). A problem's test is a function <c>check(candidate)</c>.</summary>
    HumanEval,

    /// <summary>Tasks to solve from a sentence and its tests (arXiv 2108.07732). Tasks 11 to 510 are for evaluation.</summary>
    Mbpp,
}

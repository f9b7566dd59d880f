using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Programs;

/// <summary>From what a model wrote to a program.</summary>
public static class Completions
{
    /// <summary>Without the first stop sequence and what follows it. A model goes on after a function's end: only the function is asked for.</summary>
    public static string Truncate(string completion, IReadOnlyList<string> stopSequences)
    {
        var end = completion.Length;
        foreach (var stop in stopSequences)
        {
            var at = completion.AsSpan(0, end).IndexOf(stop, StringComparison.Ordinal);
            end = at < 0 ? end : at;
        }

        return completion[..end];
    }

    /// <summary>The Python that is judged. The test is no part of it: it runs in another process.</summary>
    public static string Program(Problem problem, string completion) => problem.IsPromptCode ? problem.Prompt + completion : completion;
}

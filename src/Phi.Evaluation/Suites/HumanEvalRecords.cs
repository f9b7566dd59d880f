namespace Phi.Evaluation.Suites;

/// <summary>HumanEval's records, as openai/human-eval publishes them.</summary>
internal static class HumanEvalRecords
{
    public const string Shape = "A HumanEval record is a line {\"task_id\", \"prompt\", \"entry_point\", \"canonical_solution\", \"test\"}, all of them strings.";

    public static Problem Read(RecordFields fields)
    {
        var entryPoint = fields.Text("entry_point");
        if (!IsName(entryPoint))
        {
            throw fields.Wrong("field entry_point", $"is '{entryPoint}'; it must be the name of a Python function");
        }

        return new Problem
        {
            TaskId = TaskId(fields),
            Prompt = fields.Text("prompt"),
            CanonicalCompletion = fields.Text("canonical_solution"),
            EntryPoint = entryPoint,
            IsPromptCode = true,
            Tests = [fields.Text("test")],
        };
    }

    private static string TaskId(RecordFields fields) => fields.Text("task_id") is { Length: > 0 and <= 200 } id && !id.Any(char.IsControl)
        ? id
        : throw fields.Wrong("field task_id", "must have 1 to 200 characters, on one line");

    private static bool IsName(string text) => text.Length is > 0 and <= 200 && !char.IsAsciiDigit(text[0]) && text.All(one => char.IsLetterOrDigit(one) || one == '_');
}

using System.Globalization;

namespace Phi.Evaluation.Suites;

/// <summary>MBPP's records, as google-research publishes them: <c>mbpp.jsonl</c>, and <c>sanitized-mbpp.json</c> with other names for two fields.</summary>
internal static class MbppRecords
{
    public const string Shape = "An MBPP record is {\"task_id\": NUMBER, \"text\" or \"prompt\", \"code\", \"test_list\": [STRING, …]} with \"test_setup_code\" or \"test_imports\" where its tests need them.";

    /// <summary>The part for evaluation; 1 to 10 are for prompts of few shots, what is above for training.</summary>
    private const int FirstTest = 11;
    private const int LastTest = 510;

    public static string TaskId(int number) => "MBPP/" + number.ToString(CultureInfo.InvariantCulture);

    /// <returns>Null: the record is right, and not of the test part.</returns>
    public static (string TaskId, Problem? Problem) Read(RecordFields fields)
    {
        var number = fields.Number("task_id");
        var (text, code, tests) = (fields.Text("text", "prompt"), fields.Text("code"), fields.Texts("test_list"));
        if (tests.Count == 0)
        {
            throw fields.Wrong("field test_list", "is empty; nothing would be asked of a solution");
        }

        IReadOnlyList<string> setup = [.. fields.Has("test_imports") ? fields.Texts("test_imports") : [], fields.TextOr("test_setup_code", "")];
        var problem = new Problem
        {
            TaskId = TaskId(number),
            Prompt = $"\"\"\"\n{text}\n{string.Join('\n', tests)}\n\"\"\"\n",
            CanonicalCompletion = code.ReplaceLineEndings("\n"),
            IsPromptCode = false,
            Tests = [.. setup.Where(part => part.Length > 0), .. tests],
        };
        return (problem.TaskId, number is >= FirstTest and <= LastTest ? problem : null);
    }
}

using System.Text.Json;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Grading;

/// <summary>
/// Completions made elsewhere: lines <c>{"task_id", "completion"}</c>, the field's form, or as the training executable writes them:
/// <c>{"id", "sample", "completion"}</c>. Without a sample's number the lines of a problem are numbered in their order.
/// </summary>
public sealed class CompletionFile
{
    private const string Shape = "A completion is a line {\"task_id\": a problem's, \"completion\": STRING}.";
    private readonly string _path;
    private readonly Dictionary<string, Problem> _problems;
    private readonly HashSet<string> _others;
    private readonly Dictionary<string, int> _next = [];
    private readonly HashSet<(string, int)> _seen = [];

    /// <param name="suite">All problems of the file.</param>
    /// <param name="wanted">Those that are judged; the completions of others are left out.</param>
    public CompletionFile(string path, Suite suite, Suite wanted)
    {
        _path = path;
        _problems = wanted.Problems.ToDictionary(one => one.TaskId, StringComparer.OrdinalIgnoreCase);
        _others = suite.Problems.Select(one => one.TaskId).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <exception cref="EvaluationException">A line is wrong, names no problem, or a sample is there twice.</exception>
    public IReadOnlyList<Sample> Read()
    {
        byte[] text;
        try
        {
            using var file = File.OpenRead(_path);
            text = BoundedRead.All(file, 1 << 30, _path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{_path} cannot be read: {e.Message} Name a file of completions. {Shape}");
        }

        return [.. JsonLines.Of(text).Select(line => Read(line.Line, line.Number)).OfType<Sample>()];
    }

    /// <summary>One line of the file.</summary>
    /// <param name="number">From 1.</param>
    /// <returns>Null: a problem that is not judged.</returns>
    /// <exception cref="EvaluationException">As for all of them.</exception>
    public Sample? Read(ReadOnlyMemory<byte> line, int number)
    {
        var place = $"{_path} line {number}";
        using var record = RecordFields.Parse(line, place, Shape);
        var fields = new RecordFields(record.RootElement, place, Shape);
        var name = fields.Has("task_id") || !fields.Has("id") ? "task_id" : "id";
        var id = IsNumber(record.RootElement, name) ? MbppRecords.TaskId(fields.Number(name)) : fields.Text(name);
        var completion = fields.Text("completion");
        if (!_problems.TryGetValue(id, out var problem) && !_problems.TryGetValue("MBPP/" + id, out problem))
        {
            return _others.Contains(id) || _others.Contains("MBPP/" + id) ? null : throw fields.Wrong($"field {name}", $"is {id}, which the suite does not have");
        }

        var sample = fields.Has("sample") ? fields.Number("sample") : _next.GetValueOrDefault(problem.TaskId);
        _next[problem.TaskId] = sample + 1;
        return !_seen.Add((problem.TaskId, sample)) ? throw fields.Wrong("field sample", $"is {sample}, which {problem.TaskId} has already")
            : sample < 0 ? throw fields.Wrong("field sample", $"is {sample}; samples are numbered from 0")
            : new Sample(problem, sample, completion);
    }

    private static bool IsNumber(JsonElement record, string name) => record.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number;
}

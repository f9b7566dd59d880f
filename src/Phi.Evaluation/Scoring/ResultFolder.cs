using System.Text.Encodings.Web;
using System.Text.Json;

namespace Phi.Evaluation.Scoring;

/// <summary>
/// A folder with what was asked (<c>evaluation.json</c>), a line for each verdict (<c>results.jsonl</c>) and the summary. An evaluation that was
/// interrupted goes on where it was: what is there is not judged again.
/// </summary>
public sealed class ResultFolder : IDisposable
{
    private const string QuestionName = "evaluation.json";
    private const string ResultsName = "results.jsonl";
    private static readonly JsonSerializerOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() },
    };

    private readonly string _folder;
    private readonly FileStream _results;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string TaskId, int Sample), SampleResult> _known = [];

    private ResultFolder(string folder)
    {
        _folder = folder;
        // Whoever else evaluates into the folder is refused by the open file.
        _results = new FileStream(Path.Combine(folder, ResultsName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Where the completions of this evaluation are, if a model is asked for them.</summary>
    public static string CompletionsOf(string folder) => Path.Combine(folder, "completions.jsonl");

    public static string PromptsOf(string folder) => Path.Combine(folder, "prompts.jsonl");

    /// <param name="question">What the results depend on, by name. A folder with other values is refused.</param>
    /// <exception cref="EvaluationException">The folder holds another evaluation, cannot be written to, or a line is wrong.</exception>
    public static ResultFolder Open(string folder, IReadOnlyDictionary<string, string> question)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var opened = new ResultFolder(folder);
            var isGood = false;
            try
            {
                opened.Hold(question);
                opened.Read();
                isGood = true;
                return opened;
            }
            finally
            {
                if (!isGood)
                {
                    opened.Dispose();
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{folder} cannot be used for results: {e.Message} Name a folder that can be written to, into which nothing else evaluates.");
        }
    }

    /// <summary>The verdict on this completion, if it is there.</summary>
    public SampleResult? Find(string taskId, int sample, string completion)
    {
        lock (_gate)
        {
            return _known.GetValueOrDefault((taskId, sample)) is { } known && known.Completion == completion ? known : null;
        }
    }

    public void Add(SampleResult result)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(result, Lines);
        lock (_gate)
        {
            // One write each: of a process that is killed there is a whole line or the beginning of one.
            _results.Write([.. line, (byte)'\n']);
            _results.Flush();
            _known[(result.TaskId, result.Sample)] = result;
        }
    }

    public void WriteSummary(EvaluationSummary summary) => WriteWhole(Path.Combine(_folder, "summary.json"), JsonSerializer.SerializeToUtf8Bytes(summary, Indented));

    public void Dispose() => _results.Dispose();

    /// <summary>Written beside, then renamed: whoever reads finds all of it or what was there before.</summary>
    public static void WriteWhole(string path, byte[] content)
    {
        var beside = path + ".new";
        using (var file = File.Create(beside))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }

    private void Hold(IReadOnlyDictionary<string, string> question)
    {
        var path = Path.Combine(_folder, QuestionName);
        if (!File.Exists(path))
        {
            WriteWhole(path, JsonSerializer.SerializeToUtf8Bytes(question, Indented));
            return;
        }

        Dictionary<string, string?> held;
        try
        {
            held = JsonSerializer.Deserialize<Dictionary<string, string?>>(File.ReadAllBytes(path)) ?? [];
        }
        catch (JsonException e)
        {
            throw new EvaluationException($"{path} is damaged: {e.Message} Name a new folder.");
        }

        foreach (var (name, value) in question)
        {
            if (held.GetValueOrDefault(name) is var before && before != value)
            {
                throw new EvaluationException($"{_folder} holds an evaluation whose {name} is {before ?? "not given"}; this one's is {(value.Length > 0 ? value : "not given")}. Name another folder, or give what was given before.");
            }
        }
    }

    private void Read()
    {
        var text = new byte[_results.Length];
        _results.ReadExactly(text);
        var whole = text.AsSpan().LastIndexOf((byte)'\n') + 1;
        // The rest was being written when the process ended.
        _results.SetLength(whole);
        _results.Position = whole;
        foreach (var (number, line) in JsonLines.Of(text.AsMemory(0, whole)))
        {
            try
            {
                var result = JsonSerializer.Deserialize<SampleResult>(line.Span, Lines)!;
                _known[(result.TaskId, result.Sample)] = result;
            }
            catch (JsonException e)
            {
                throw new EvaluationException($"{_results.Name} line {number} is no result: {e.Message} Remove the line, or name a new folder.");
            }
        }
    }
}

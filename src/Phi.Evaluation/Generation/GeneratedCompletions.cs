using System.Runtime.CompilerServices;
using System.Text.Json;
using Phi.Evaluation.Grading;
using Phi.Evaluation.Programs;
using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Generation;

/// <summary>
/// Completions as the training executable writes them: it appends a line for each to a file, which is followed until it has ended. A file that
/// is there already is continued.
/// </summary>
/// <param name="run">Runs the training executable with such arguments, and returns its exit code; cancelled, it ends it and returns.</param>
public sealed class GeneratedCompletions(Suite suite, Suite wanted, GenerationRequest request, string folder, Func<IReadOnlyList<string>, CancellationToken, Task<int>> run)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Of the training executable; 0 until it has ended.</summary>
    public int ExitCode { get; private set; }

    public async IAsyncEnumerable<Sample> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (prompts, output) = (ResultFolder.PromptsOf(folder), ResultFolder.CompletionsOf(folder));
        ResultFolder.WriteWhole(prompts, Prompts());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = run(request.Arguments(prompts, output), stop.Token);
        try
        {
            var lines = new CompletionLines(new CompletionFile(output, suite, wanted), output);
            for (var hasEnded = false; !hasEnded;)
            {
                hasEnded = await Task.WhenAny(running, Task.Delay(Interval, cancellationToken)) == running;
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var sample in lines.Next())
                {
                    yield return sample with { Completion = Completions.Truncate(sample.Completion, wanted.StopSequences) };
                }
            }

            ExitCode = await running;
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    private byte[] Prompts()
    {
        using var memory = new MemoryStream();
        foreach (var problem in wanted.Problems)
        {
            memory.Write(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["id"] = problem.TaskId, ["prompt"] = problem.Prompt, ["stop"] = wanted.StopSequences }, Relaxed));
            memory.WriteByte((byte)'\n');
        }

        return memory.ToArray();
    }

    /// <summary>Whole lines of a file that grows.</summary>
    private sealed class CompletionLines(CompletionFile file, string path)
    {
        private long _position;
        private int _number;

        /// <summary>Null: who writes has it alone for a moment, at its begin.</summary>
        private FileStream? Open()
        {
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (IOException)
            {
                return null;
            }
        }

        public List<Sample> Next()
        {
            if (!File.Exists(path))
            {
                return [];
            }

            using var stream = Open();
            if (stream is null)
            {
                return [];
            }

            stream.Position = Math.Min(_position, stream.Length);
            var text = new byte[Math.Min(stream.Length - stream.Position, int.MaxValue / 2)];
            text = text[..stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)];
            var samples = new List<Sample>();
            for (int at = 0, end; (end = text.AsSpan(at).IndexOf((byte)'\n')) >= 0; at += end + 1, _position += end + 1)
            {
                _number++;
                if (end > 0 && file.Read(text.AsMemory(at, end), _number) is { } sample)
                {
                    samples.Add(sample);
                }
            }

            return samples;
        }
    }
}

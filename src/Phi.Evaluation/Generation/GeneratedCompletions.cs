using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
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
public sealed partial class GeneratedCompletions(Suite suite, Suite wanted, GenerationRequest request, string folder, Func<IReadOnlyList<string>, CancellationToken, Task<int>> run)
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
            for (var (hasEnded, hasMore) = (false, true); !hasEnded || hasMore;)
            {
                hasEnded = await Task.WhenAny(running, Task.Delay(Interval, cancellationToken)) == running;
                cancellationToken.ThrowIfCancellationRequested();
                var before = lines.Position;
                var next = lines.Next();
                hasMore = lines.Position > before;
                foreach (var sample in next)
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
    private sealed partial class CompletionLines(CompletionFile file, string path)
    {
        private const int MostAtOnce = 16 << 20;
        private const int ReadOnlyAndNotInherited = 0x80000;
        private int _number;

        /// <summary>Bytes that were read.</summary>
        public long Position { get; private set; }

        public List<Sample> Next()
        {
            // Whoever writes it has locked it against other writers, which .NET takes for a lock against readers too.
            using var handle = Open(path, ReadOnlyAndNotInherited, 0);
            if (handle.IsInvalid)
            {
                return [];
            }

            var text = new byte[Math.Clamp(RandomAccess.GetLength(handle) - Position, 0, MostAtOnce)];
            text = text[..RandomAccess.Read(handle, text, Position)];
            var samples = new List<Sample>();
            for (int at = 0, end; (end = text.AsSpan(at).IndexOf((byte)'\n')) >= 0; at += end + 1, Position += end + 1)
            {
                _number++;
                if (end > 0 && file.Read(text.AsMemory(at, end), _number) is { } sample)
                {
                    samples.Add(sample);
                }
            }

            return samples;
        }

        [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
        private static partial SafeFileHandle Open(string path, int flags, int mode);
    }
}

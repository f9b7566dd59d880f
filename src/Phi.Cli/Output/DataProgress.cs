using System.Globalization;
using Phi.Data.Preparation;

namespace Phi.Cli.Output;

/// <summary>Shows how far reading, tokenising and judging are, on standard error: one line rewritten in place on a terminal, a plain line now and then elsewhere.</summary>
internal sealed class DataProgress(TimeProvider time) : IProgress<PrepareProgress>
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private readonly bool _live = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
    private readonly long _started = time.GetTimestamp();
    private long _shown = time.GetTimestamp();
    private int _width;

    public void Report(PrepareProgress value)
    {
        var duplicates = value.Duplicates > 0 ? Format($" ({value.Duplicates} duplicates)") : "";
        Show(Format($"{value.Documents} documents{duplicates}  {value.Tokens} tokens  {Megabytes(value.Bytes)}"));
    }

    /// <summary>Text read while a tokenizer is trained.</summary>
    public void Reading(long documents, long bytes) => Show(Format($"{documents} documents  {Megabytes(bytes)}"));

    public void Merging(int tokens, int wanted) => Show(Format($"{tokens} of {wanted} tokens"));

    public void Judging(int done, int of, int passed) => Show(Format($"{done} of {of} programs judged, {passed} passed"));

    /// <summary>Leaves the last line standing.</summary>
    public void End()
    {
        if (_width > 0)
        {
            Console.Error.WriteLine();
            _width = 0;
        }
    }

    private string Megabytes(long bytes) => Format($"{bytes / 1e6:0.0} MB  {bytes / 1e6 / Math.Max(time.GetElapsedTime(_started).TotalSeconds, 1e-3):0.0} MB/s");

    private void Show(string line)
    {
        if (time.GetElapsedTime(_shown) < (_live ? LiveInterval : PlainInterval))
        {
            return;
        }

        _shown = time.GetTimestamp();
        if (_live)
        {
            Console.Error.Write('\r' + line.PadRight(_width));
            _width = line.Length;
        }
        else
        {
            Console.Error.WriteLine(line);
        }
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

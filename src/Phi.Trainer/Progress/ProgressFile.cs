namespace Phi.Trainer.Progress;

/// <summary>
/// The lines that a program appends to its progress file, as they come. The file may be missing yet, cut short and written anew, renamed
/// and followed by another, or replaced. Not thread-safe.
/// </summary>
/// <remarks>
/// A file that took another's place is found by the bytes before the position. The one before is held open, so that what its writer added
/// before it went is read first.
/// </remarks>
internal sealed class ProgressFile(string path) : IDisposable
{
    private const int MostBytes = 1 << 20;
    private readonly string _kept = path + ".position";
    private FileStream? _held;
    private ProgressPosition? _next;

    /// <summary>What is delivered.</summary>
    public ProgressPosition Position { get; private set; } = ProgressPosition.Load(path + ".position");

    /// <summary>New lines from the position on, in order; none if there is nothing new. The same ones again until <see cref="Advance"/>.</summary>
    /// <param name="isOver">Nobody writes any more, so a last line without an end is one.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public IReadOnlyList<FileLine> Read(bool isOver)
    {
        var isReplaced = Look();
        if (_held is null)
        {
            return [];
        }

        var lines = Lines(_held, isOver || isReplaced);
        if (lines.Count > 0 || !isReplaced)
        {
            return lines;
        }

        _held.Dispose();
        (_held, Position) = (null, Position.InOtherFile());
        return Read(isOver);
    }

    /// <summary>The lines of the last <see cref="Read"/> are delivered.</summary>
    /// <exception cref="IOException">The position cannot be kept; it counts all the same.</exception>
    public void Advance(long? step, DateTimeOffset? time)
    {
        Position = (_next ?? Position) with { Step = step, Time = time };
        Position.Save(_kept);
    }

    /// <summary>Writes the position down before anything is read: whoever sees it knows that somebody does.</summary>
    /// <exception cref="IOException">It cannot be kept.</exception>
    public void Announce() => Position.Save(_kept);

    public void Dispose() => _held?.Dispose();

    /// <summary>Opens the file anew, or keeps the one before while it has another's place; true if so.</summary>
    private bool Look()
    {
        var there = Open(path);
        if (there is not null && !Position.IsIn(there))
        {
            _held ??= Rotated();
            if (_held is not null && Position.IsIn(_held))
            {
                there.Dispose();
                return true;
            }

            Position = Position.InOtherFile();
        }

        if (there is not null)
        {
            _held?.Dispose();
            _held = there;
        }

        return false;
    }

    /// <summary>The file that was read before this process started, under the name that it has now.</summary>
    private FileStream? Rotated()
    {
        foreach (var other in Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Where(other => !other.StartsWith(_kept, StringComparison.Ordinal)))
        {
            var file = Open(other);
            if (file is not null && Position.IsIn(file))
            {
                return file;
            }

            file?.Dispose();
        }

        return null;
    }

    private List<FileLine> Lines(FileStream file, bool takesTorn)
    {
        var buffer = new byte[MostBytes];
        file.Position = Position.Offset;
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        var (lines, start) = (new List<FileLine>(), 0);
        for (int end; (end = buffer.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
        {
            lines.Add(new FileLine(Position.Line + lines.Count + 1, buffer.AsMemory(start, end), IsTorn: false));
        }

        // No report is as long as the buffer: what fills it goes by in parts.
        if (start < length && (start == 0 && length == MostBytes || takesTorn && length < MostBytes))
        {
            lines.Add(new FileLine(Position.Line + lines.Count + 1, buffer.AsMemory(start, length - start), IsTorn: true));
            start = length;
        }

        byte[] before = [.. Position.Mark, .. buffer.AsSpan(Math.Max(0, start - ProgressPosition.MarkBytes)..start)];
        var mark = before[Math.Max(0, before.Length - ProgressPosition.MarkBytes)..];
        _next = Position with { Offset = Position.Offset + start, Line = Position.Line + lines.Count, Mark = mark };
        return lines;
    }

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}

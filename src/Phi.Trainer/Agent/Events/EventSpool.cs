namespace Phi.Trainer.Agent.Events;

/// <summary>
/// A queue of events in a folder: appended to its newest file, read from its oldest, which goes once all of it was removed. How far a file
/// was read is kept nowhere, so an agent that starts again in the folder reads its oldest file once more. For one thread at a time.
/// </summary>
internal sealed class EventSpool : IDisposable
{
    private readonly List<SpoolSegment> _segments = [];
    private readonly long _segmentBytes;
    private readonly Action<string> _log;
    private SpoolSegment? _newest;
    private FileStream? _tail;
    private long _end;
    private int _next = 1;

    /// <summary>Takes up what an earlier life left; makes the folder only once there is something to write.</summary>
    /// <param name="folder">This pod's alone.</param>
    public EventSpool(string folder, long segmentBytes, Action<string> log)
    {
        (Folder, _segmentBytes, _log) = (folder, segmentBytes, log);
        try
        {
            TakeUp();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"events that an earlier agent of this pod may have left in {folder} cannot be read: {e.Message}");
        }
    }

    public string Folder { get; }

    /// <summary>Of all files, with what was removed from the oldest.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _segments.Count == 0;

    /// <exception cref="IOException">The disk is full, or cannot be written; nothing of the record is kept.</exception>
    public void Append(SpoolRecord record)
    {
        var line = record.ToLine();
        try
        {
            var (segment, file) = Tail();
            file.Write(line);
            segment.Length += line.Length;
            Bytes += line.Length;
        }
        catch (UnauthorizedAccessException e)
        {
            CutTail();
            throw new IOException(e.Message, e);
        }
        catch (IOException)
        {
            CutTail();
            throw;
        }
    }

    /// <summary>The oldest records of one attempt, with about so many events; the same until they are removed.</summary>
    /// <returns>Null: nothing is left.</returns>
    public EventChunk? Read(int most)
    {
        while (_segments is [var oldest, ..])
        {
            try
            {
                var chunk = oldest.Read(most, out _end, out var damaged);
                if (damaged > 0)
                {
                    _log($"{damaged} records of {oldest.Path} were not written to their end, or are damaged, and are left out");
                }

                if (chunk is not null)
                {
                    return chunk;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log($"events in {oldest.Path} cannot be read and are given up: {e.Message}");
            }

            Drop(oldest);
        }

        return null;
    }

    /// <summary>Removes what was read last.</summary>
    public void Remove()
    {
        var oldest = _segments[0];
        oldest.Position = _end;
        if (oldest.Position >= oldest.Length)
        {
            Drop(oldest);
        }
    }

    public void Dispose() => CloseTail();

    private void TakeUp()
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        foreach (var (path, number) in Directory.EnumerateFiles(Folder, SpoolSegment.Pattern).Select(path => (path, Number: SpoolSegment.NumberOf(path))).Where(file => file.Number is not null).OrderBy(file => file.Number))
        {
            var segment = new SpoolSegment(path, new FileInfo(path).Length);
            _segments.Add(segment);
            Bytes += segment.Length;
            _next = number!.Value + 1;
        }

        if (Bytes > 0)
        {
            _log($"an earlier agent of this pod left {Bytes} bytes of events in {Folder}; they are sent first");
        }
    }

    private (SpoolSegment Segment, FileStream File) Tail()
    {
        if (_newest is { } newest && _tail is { } tail && newest.Length < _segmentBytes)
        {
            return (newest, tail);
        }

        CloseTail();
        Directory.CreateDirectory(Folder);
        var path = SpoolSegment.PathOf(Folder, _next);
        _tail = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _next++;
        _newest = new SpoolSegment(path, 0);
        _segments.Add(_newest);
        return (_newest, _tail);
    }

    /// <summary>After a write that failed: takes back what it left, and writes no more to this file, in case that is not possible.</summary>
    private void CutTail()
    {
        try
        {
            _tail?.SetLength(_newest!.Length);
        }
        catch (IOException)
        {
            // What was not written to its end is left out by whoever reads it.
        }

        var segment = _newest;
        CloseTail();
        if (segment is { Length: 0 })
        {
            Drop(segment);
        }
    }

    private void CloseTail()
    {
        _tail?.Dispose();
        (_tail, _newest) = (null, null);
    }

    private void Drop(SpoolSegment segment)
    {
        _segments.Remove(segment);
        Bytes -= segment.Length;
        if (segment == _newest)
        {
            CloseTail();
        }

        try
        {
            File.Delete(segment.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log($"{segment.Path} is needed no more and cannot be removed: {e.Message}");
        }
    }
}

using System.Globalization;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>One file of an <see cref="EventSpool"/>.</summary>
/// <param name="path">Named by <see cref="PathOf"/>.</param>
/// <param name="length">Bytes that were written whole.</param>
internal sealed class SpoolSegment(string path, long length)
{
    public const string Pattern = "*.events";

    public string Path { get; } = path;

    public long Length { get; set; } = length;

    /// <summary>Up to where it was removed.</summary>
    public long Position { get; set; }

    public static string PathOf(string folder, int number) => System.IO.Path.Combine(folder, $"{number.ToString("D10", CultureInfo.InvariantCulture)}.events");

    /// <summary>Null: the file has another's name.</summary>
    public static int? NumberOf(string path) => int.TryParse(System.IO.Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The next records of one attempt, with about so many events.</summary>
    /// <param name="end">Where they end.</param>
    /// <param name="damaged">Records before that end that could not be read.</param>
    /// <returns>Null: nothing is left that can be read.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public EventChunk? Read(int most, out long end, out int damaged)
    {
        ReadOnlySpan<byte> left = ReadBytes();
        var events = new List<RankEvent>();
        int? attempt = null;
        (end, damaged) = (Position, 0);
        while (!left.IsEmpty && events.Count < most)
        {
            var newline = left.IndexOf((byte)'\n');
            var record = newline < 0 ? null : SpoolRecord.Parse(left[..newline]);
            if (record is not null && (attempt ?? record.Attempt) != record.Attempt)
            {
                break;
            }

            if (record is null)
            {
                damaged++;
            }
            else
            {
                attempt = record.Attempt;
                events.AddRange(record.Events);
            }

            var size = newline < 0 ? left.Length : newline + 1;
            end += size;
            left = left[size..];
        }

        return attempt is { } known ? new EventChunk(known, events) : null;
    }

    private byte[] ReadBytes()
    {
        using var file = File.OpenHandle(Path);
        var bytes = new byte[Length - Position];
        var filled = 0;
        while (filled < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(filled), Position + filled) is var read and > 0)
        {
            filled += read;
        }

        return bytes[..filled];
    }
}

using System.Globalization;
using System.Text;

namespace Phi.LocalCluster.Nodes;

/// <summary>A container's output in the format of the container runtime interface: time, stream, F, text.</summary>
internal sealed class ContainerLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private readonly TimeProvider _time;

    public ContainerLog(string path, TimeProvider time)
    {
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _time = time;
    }

    public void Write(string stream, string line)
    {
        var time = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        lock (_lock)
        {
            _file.Write(Encoding.UTF8.GetBytes($"{time} {stream} F {line}\n"));
            _file.Flush();
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The time and the text of a stored line; null if it is none.</summary>
    public static (DateTimeOffset Time, string Stamp, string Text)? Parse(string line)
    {
        var parts = line.Split(' ', 4);
        return parts.Length == 4 && DateTimeOffset.TryParse(parts[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? (time, parts[0], parts[3]) : null;
    }

    /// <summary>The last lines, at most so many characters: what a failed container leaves as its message.</summary>
    public static string Tail(string path, int characters)
    {
        if (!File.Exists(path))
        {
            return "";
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(-Math.Min(file.Length, 4L * characters), SeekOrigin.End);
        using var reader = new StreamReader(file);
        var text = string.Join('\n', reader.ReadToEnd().Split('\n').Select(line => Parse(line)?.Text).OfType<string>());
        return text.Length > characters ? text[^characters..] : text;
    }
}

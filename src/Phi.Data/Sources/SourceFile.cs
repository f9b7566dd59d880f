using System.Globalization;

namespace Phi.Data.Sources;

/// <summary>A file as it was when it was listed: a changed one has another size or time.</summary>
/// <param name="Modified">Last write, UTC, in round-trip format.</param>
public sealed record SourceFile(string Path, long Bytes, string Modified)
{
    public static SourceFile Of(string path)
    {
        var info = new FileInfo(path);
        return new SourceFile(path, info.Length, info.LastWriteTimeUtc.ToString("O", CultureInfo.InvariantCulture));
    }
}

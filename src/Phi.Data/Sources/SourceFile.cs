using System.Globalization;

namespace Phi.Data.Sources;

/// <summary>A file as it was when it was listed: a changed one has another size or time.</summary>
/// <param name="Modified">Last write, UTC, in round-trip format.</param>
public sealed record SourceFile(string Path, long Bytes, string Modified)
{
    /// <exception cref="DataException">The file is gone: a link that leads nowhere, for one.</exception>
    public static SourceFile Of(string path)
    {
        var info = new FileInfo(path);
        info = (FileInfo?)info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
        if (!info.Exists)
        {
            throw new DataException($"{path} is not there, or a link that leads nowhere. Restore it, or leave it out of the sources.");
        }

        return new SourceFile(path, info.Length, info.LastWriteTimeUtc.ToString("O", CultureInfo.InvariantCulture));
    }
}

using System.Globalization;

namespace Phi.Data.Sources;

/// <summary>A file as it was when it was listed: a changed one has another size or time.</summary>
/// <param name="Modified">Last write, UTC, in round-trip format.</param>
public sealed record SourceFile(string Path, long Bytes, string Modified)
{
    /// <exception cref="DataException">The file is gone, such as a link that leads nowhere, or cannot be reached.</exception>
    public static SourceFile Of(string path)
    {
        try
        {
            var info = new FileInfo(path);
            info = (FileInfo?)info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            return info.Exists
                ? new SourceFile(path, info.Length, info.LastWriteTimeUtc.ToString("O", CultureInfo.InvariantCulture))
                : throw new DataException($"{path} is not there, or a link that leads nowhere. Restore it, or leave it out of the sources.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be reached: {e.Message} Make it readable, or leave it out of the sources.");
        }
    }
}

using Microsoft.Extensions.FileSystemGlobbing;

namespace Phi.Training.Data;

/// <summary>The files that data.sources names: files, folders (all files below), and globs with <c>*</c> and <c>**</c>.</summary>
public static class DataSources
{
    /// <summary>Absolute paths in ordinal order, each once.</summary>
    /// <exception cref="DataException">A source names nothing that can be read here.</exception>
    public static IReadOnlyList<string> Resolve(IReadOnlyList<string> sources)
    {
        var files = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            var found = Find(source);
            if (found.Count == 0)
            {
                throw new DataException($"data.sources '{source}' matches no file on this node. Put the files there{Hint(source)}, or name another folder or glob.");
            }

            files.UnionWith(found);
        }

        return [.. files];
    }

    private static IReadOnlyCollection<string> Find(string source)
    {
        if (source.Contains("://", StringComparison.Ordinal))
        {
            throw new DataException($"data.sources '{source}' is a URL, which this version does not read. Copy the files to the nodes and name their folder.");
        }

        if (!Path.IsPathRooted(source))
        {
            throw new DataException($"data.sources '{source}' is relative, and a pod has no folder that it could be relative to. Write an absolute path.");
        }

        if (File.Exists(source))
        {
            return [source];
        }

        if (Directory.Exists(source))
        {
            return [.. Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories)];
        }

        // The matcher walks from a folder, so the part before the first wildcard is that folder.
        var parts = source.Split('/');
        var first = Array.FindIndex(parts, part => part.Contains('*', StringComparison.Ordinal));
        if (first < 0)
        {
            return [];
        }

        var root = string.Join('/', parts[..first]) + "/";
        var matcher = new Matcher(StringComparison.Ordinal);
        matcher.AddInclude(string.Join('/', parts[first..]));
        return Directory.Exists(root) ? [.. matcher.GetResultsInFullPath(root)] : [];
    }

    private static string Hint(string source) =>
        source.Contains("/python3", StringComparison.Ordinal) ? " (on Debian: apt-get install libpython3-stdlib)" : "";
}

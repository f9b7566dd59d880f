using Microsoft.Extensions.FileSystemGlobbing;

namespace Phi.Data.Sources;

/// <summary>The files that data.sources names: files, folders (all files below), and globs with <c>*</c> and <c>**</c>.</summary>
public static class DataSources
{
    /// <summary>Absolute paths in ordinal order, each once.</summary>
    /// <param name="sources">Absolute: a pod has no folder that a path could be relative to.</param>
    /// <param name="name">What the user calls the list, for messages.</param>
    /// <exception cref="DataException">A source names nothing that can be read here.</exception>
    public static IReadOnlyList<string> Resolve(IReadOnlyList<string> sources, string name = "data.sources")
    {
        var files = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            var found = Found(source, name);
            if (found.Count == 0)
            {
                throw new DataException($"{name} '{source}' matches no file on this node. Put the files there{Hint(source)}, or name another folder or glob.");
            }

            files.UnionWith(found);
        }

        return [.. files];
    }

    private static IReadOnlyCollection<string> Found(string source, string name)
    {
        try
        {
            return Find(source, name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{name} '{source}' cannot be listed: {e.Message} Make its folders readable to this user, or name others.");
        }
    }

    private static IReadOnlyCollection<string> Find(string source, string name)
    {
        if (source.Contains("://", StringComparison.Ordinal))
        {
            throw new DataException($"{name} '{source}' is a URL, which this version does not read. Copy the files to the nodes and name their folder.");
        }

        if (!Path.IsPathRooted(source))
        {
            throw new DataException($"{name} '{source}' is relative, and a pod has no folder that it could be relative to. Write an absolute path.");
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

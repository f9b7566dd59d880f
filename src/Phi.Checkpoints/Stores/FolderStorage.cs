namespace Phi.Checkpoints.Stores;

/// <summary>A folder that every rank sees. Each file is written under a temporary name, flushed to the disk and renamed.</summary>
public sealed class FolderStorage(string root) : ICheckpointStorage
{
    private const string Temporary = ".tmp";
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
    private readonly AttemptFence _fence = new(Path.Combine(root, "attempts"));
    private readonly FolderRetries _retries = new(TimeProvider.System);

    public Uri UriOf(string name) => new(PathOf(name));

    public IReadOnlyList<StoredFile> List(string prefix) => Repeated(prefix, path =>
    {
        // The part behind the last slash need not be a whole name.
        var folder = prefix.Contains('/', StringComparison.Ordinal) ? Path.GetDirectoryName(path)! : _root;
        return !Directory.Exists(folder) ? [] : (IReadOnlyList<StoredFile>)[.. new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(Describe).OfType<StoredFile>().Where(file => file.Name.StartsWith(prefix, StringComparison.Ordinal) && !file.Name.EndsWith(Temporary, StringComparison.Ordinal))
            .OrderBy(file => file.Name, StringComparer.Ordinal)];
    });

    public StoredFile? Find(string name) => Repeated(name, path => Describe(new FileInfo(path)));

    public void Write(string name, Action<Stream> write, CancellationToken cancellationToken) => Guarded(name, path =>
    {
        cancellationToken.ThrowIfCancellationRequested();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Put(path + Temporary, write);
        File.Move(path + Temporary, path, overwrite: true);
        return true;
    });

    public void Read(string name, long first, Span<byte> into)
    {
        var path = PathOf(name);
        try
        {
            _ = _retries.Do(into, memory => ReadOnce(path, first, memory));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException($"{path} cannot be read: there is no such file", e);
        }
        catch (Exception e) when (Directory.Exists(path))
        {
            throw new CheckpointException($"{path} cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderFaults.Of(path, e);
        }
    }

    public void Delete(string name) => Repeated(name, path =>
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        return true;
    });

    public void DeleteFolder(string name) => Repeated(name, path =>
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        return true;
    });

    public void Begin(string runId, int attempt) => Guarded("", _ =>
    {
        _fence.Begin(runId, attempt);
        return true;
    });

    public bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged) => Guarded(manifest, path => _fence.Pass(runId, attempt, () =>
    {
        SetAside(damaged.Where(name => name == manifest));
        var isNew = Publish(path, $"{path}.{attempt}{Temporary}", content);
        SetAside(damaged.Where(name => name != manifest));
        return isNew;
    }));

    public void Dispose()
    {
        // Holds nothing open.
    }

    private static bool ReadOnce(string path, long first, Span<byte> into)
    {
        using var handle = File.OpenHandle(path);
        for (int count, at = 0; at < into.Length; at += count)
        {
            count = RandomAccess.Read(handle, into[at..], first + at);
            if (count == 0)
            {
                throw new CheckpointException($"{path} is cut off: it ends at byte {first + at}; {first + into.Length} were expected");
            }
        }

        return true;
    }

    private static bool Publish(string path, string temporary, ReadOnlyMemory<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Put(temporary, stream => stream.Write(content.Span));
        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }
    }

    private void SetAside(IEnumerable<string> manifests)
    {
        foreach (var name in manifests.Where(name => File.Exists(PathOf(name))))
        {
            File.Move(PathOf(name), PathOf(ICheckpointStorage.DamagedName(name)), overwrite: true);
        }
    }

    private static void Put(string path, Action<Stream> write)
    {
        var isWhole = false;
        try
        {
            using var stream = File.Create(path);
            write(stream);
            stream.Flush(flushToDisk: true);
            isWhole = true;
        }
        finally
        {
            if (!isWhole)
            {
                // On a full disk it would stand in the way of the next one.
                TryDelete(path);
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that is under way says more.
        }
    }

    /// <summary>Null if there is none, or no more.</summary>
    private StoredFile? Describe(FileInfo file)
    {
        try
        {
            return file.Exists ? new StoredFile(Path.GetRelativePath(_root, file.FullName), file.Length, file.LastWriteTimeUtc) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private string PathOf(string name)
    {
        var path = Path.Combine(_root, name);
        return name.Split('/').Contains("..") || Path.IsPathRooted(name) ? throw new CheckpointException($"'{name}' is no name of a file below {_root}") : path;
    }

    private T Repeated<T>(string name, Func<string, T> work) => Guarded(name, path => _retries.Do(path, work));

    private T Guarded<T>(string name, Func<string, T> work)
    {
        var path = PathOf(name);
        try
        {
            return work(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderFaults.Of(path, e);
        }
    }
}

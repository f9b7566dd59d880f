namespace Phi.Checkpoints.Stores;

/// <summary>
/// Where checkpoints lie: files below one root, their names relative to it and parted by slashes, and the two operations that must exclude
/// each other. A folder, or a container of blobs. Safe for several threads.
/// </summary>
/// <remarks>
/// Every method throws <see cref="StorageException"/> when the storage does not answer or refuses: no file is to be judged by that.
/// </remarks>
public interface ICheckpointStorage : IDisposable
{
    /// <summary>A file as people name it, without secrets; the root for an empty name.</summary>
    Uri UriOf(string name);

    /// <summary>All files whose names begin so, in the order of their names. What is being written is not among them.</summary>
    IReadOnlyList<StoredFile> List(string prefix);

    /// <summary>Null if there is no such file.</summary>
    StoredFile? Find(string name);

    /// <summary>Puts a file there, whole or not at all; one of that name is replaced.</summary>
    void Write(string name, Action<Stream> write, CancellationToken cancellationToken);

    /// <summary>Fills the memory with consecutive bytes of a file.</summary>
    /// <param name="first">Bytes from the file's start.</param>
    /// <exception cref="CheckpointException">The file is missing, or ends before them.</exception>
    void Read(string name, long first, Span<byte> into);

    /// <summary>Removes a file; nothing happens if it is not there.</summary>
    void Delete(string name);

    /// <summary>Removes a folder with all its files.</summary>
    void DeleteFolder(string name);

    /// <summary>From now on no older attempt of the run commits: what is committed now is all that they ever commit.</summary>
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    void Begin(string runId, int attempt);

    /// <summary>Puts a manifest there that is none yet, as the newest attempt of its run alone may. False if there is one.</summary>
    /// <param name="damaged">Manifests that cannot be read. They are moved out of the way, to <see cref="DamagedName"/>: the one of this name before, the others after.</param>
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged);

    /// <summary>Under which a damaged manifest is kept for whoever looks into it.</summary>
    static string DamagedName(string manifest) => Path.ChangeExtension(manifest, ".damaged.json");
}

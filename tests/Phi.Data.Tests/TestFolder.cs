using System.IO.Compression;
using System.Text;

namespace Phi.Data.Tests;

/// <summary>A temporary folder; its name has a space.</summary>
internal sealed class TestFolder(string? parent = null) : IDisposable
{
    public string Root { get; } = parent is null || !Directory.Exists(parent)
        ? Directory.CreateTempSubdirectory("phi data ").FullName
        : Directory.CreateDirectory(Path.Combine(parent, $"phi data {Guid.NewGuid():N}")).FullName;

    public string this[string path] => Path.Combine(Root, path);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public string Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    public string Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[path])!);
        File.WriteAllBytes(this[path], content);
        return this[path];
    }

    public string WriteGzip(string path, string text)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionMode.Compress))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return Write(path, memory.ToArray());
    }

    /// <summary>Each file's bytes by its name.</summary>
    public static IReadOnlyDictionary<string, byte[]> Contents(string folder) =>
        Directory.EnumerateFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes, StringComparer.Ordinal);
}

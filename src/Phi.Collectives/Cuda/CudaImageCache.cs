using System.Security.Cryptography;

namespace Phi.Collectives.Cuda;

/// <summary>
/// Compiled images in a folder, so that of the ranks of a pod, and of its attempts, one compiles. A file is the SHA-256 of the image and the
/// image: the driver reads an image without knowing its length, so it must never see part of one. Processes may write at the same time.
/// </summary>
internal sealed class CudaImageCache(string folder)
{
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestCompilation = TimeSpan.FromMinutes(1);

    /// <summary>Null where there is none, or what there is was damaged.</summary>
    public byte[]? Read(string digest)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(PathOf(digest));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return file.Length > SHA256.HashSizeInBytes && SHA256.HashData(file.AsSpan(SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(file.AsSpan(0, SHA256.HashSizeInBytes))
            ? file[SHA256.HashSizeInBytes..]
            : null;
    }

    /// <summary>A folder that takes no more files costs a compilation later, not this one's work.</summary>
    public void Write(string digest, byte[] image)
    {
        var unfinished = $"{PathOf(digest)}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(unfinished, [.. SHA256.HashData(image), .. image]);
            File.Move(unfinished, PathOf(digest), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(unfinished))
            {
                File.Delete(unfinished);
            }
        }
    }

    /// <summary>
    /// Held by the one that compiles an image; others wait, and find it there. Given up with the process that holds it. After a minute each
    /// goes on without it: twice the same work is better than none.
    /// </summary>
    public IDisposable? Lock(string digest)
    {
        var path = PathOf(digest) + ".lock";
        for (var waited = TimeSpan.Zero; waited < LongestCompilation; waited += LockRetry)
        {
            try
            {
                Directory.CreateDirectory(folder);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                Thread.Sleep(LockRetry);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }

        return null;
    }

    private string PathOf(string digest) => Path.Combine(folder, digest + ".cubin");
}

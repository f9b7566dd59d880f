namespace Phi.LocalCluster.Nodes;

/// <summary>A file of a volume that holds configuration.</summary>
/// <param name="Path">Relative to the volume's folder.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record VolumeFile(string Path, byte[] Content, int Mode)
{
    /// <summary>Writes the file whole: a reader sees the old content or the new.</summary>
    /// <exception cref="PodException">The path leads out of the volume.</exception>
    public void Write(string folder)
    {
        if (System.IO.Path.IsPathRooted(Path) || Path.Split('/').Contains("..") || Path.Length == 0)
        {
            throw new PodException("FailedMount", $"path '{Path}' of a volume's file must be relative and without '..'");
        }

        var target = System.IO.Path.Combine(folder, Path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
        var next = target + ".next";
        File.Delete(next);
        File.WriteAllBytes(next, Content);
        File.SetUnixFileMode(next, (UnixFileMode)(Mode & 0b111_111_111));
        File.Move(next, target, overwrite: true);
    }
}

using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>hostPath volumes, checked by their type: a directory, or anything else.</summary>
internal static class HostPaths
{
    /// <summary>The path; made first where the type says so, for then the manifest asks for it.</summary>
    /// <exception cref="PodException">There is nothing of that type.</exception>
    public static string Check(string volume, V1HostPathVolumeSource host)
    {
        if (host.Type == "DirectoryOrCreate")
        {
            Directory.CreateDirectory(host.Path);
        }
        else if (host.Type == "FileOrCreate" && !File.Exists(host.Path))
        {
            File.WriteAllBytes(host.Path, []);
        }

        var isDirectory = Directory.Exists(host.Path);
        var isGood = host.Type switch
        {
            null or "" => isDirectory || File.Exists(host.Path),
            "Directory" or "DirectoryOrCreate" => isDirectory,
            "File" or "FileOrCreate" or "Socket" or "CharDevice" or "BlockDevice" => File.Exists(host.Path),
            _ => throw new PodException("UnsupportedVolume", $"volume {volume}: hostPath type '{host.Type}' is none of Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice and BlockDevice"),
        };
        return isGood ? Path.GetFullPath(host.Path)
            : throw new PodException("FailedMount", $"volume {volume}: hostPath type check failed: {host.Path} is not {(string.IsNullOrEmpty(host.Type) ? "there" : $"a {host.Type}")}; make it on the node, or name another path", isTransient: true);
    }
}

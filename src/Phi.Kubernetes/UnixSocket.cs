using System.Text;

namespace Phi.Kubernetes;

/// <summary>A Unix domain socket by which an API server of this machine is reached without TLS: the rights of its folder say by whom.</summary>
/// <param name="Server">The address that it stands for, as kubeconfigs name it.</param>
public sealed record UnixSocket(Uri Server, string Path)
{
    /// <summary>sun_path of sockaddr_un on Linux, with the zero at its end; the other systems have a little less.</summary>
    private const int MostBytes = 104;

    /// <summary>What requests name as their server; nobody looks it up.</summary>
    internal static Uri Address { get; } = new("http://localhost/");

    /// <summary>Paths of sockets are short.</summary>
    public static bool IsPossible(string path) => Encoding.UTF8.GetByteCount(path) < MostBytes;
}

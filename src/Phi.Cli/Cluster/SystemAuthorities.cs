using System.Runtime.InteropServices;

namespace Phi.Cli.Cluster;

/// <summary>
/// The machine's certificate authorities: some hundred files, which .NET reads at a process' first TLS connection even where the connection
/// names its own authorities. A short command spends a quarter of its time on them.
/// </summary>
internal static partial class SystemAuthorities
{
    private const string Nowhere = "/nonexistent";

    /// <summary>
    /// For the rest of this process, and programs that it starts, there are none. Before its first TLS connection; never where one goes to a server of
    /// theirs.
    /// </summary>
    public static void Ignore()
    {
        // OpenSSL's own variables, also where a user has set them: authorities that are asked for nothing.
        _ = SetVariable("SSL_CERT_DIR", Nowhere, 1);
        _ = SetVariable("SSL_CERT_FILE", Nowhere, 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}

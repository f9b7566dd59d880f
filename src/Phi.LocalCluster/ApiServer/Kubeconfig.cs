using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Phi.LocalCluster.ApiServer;

/// <summary>The file with which kubectl and every other client reaches the server.</summary>
internal static class Kubeconfig
{
    public static void Write(string path, Uri server, X509Certificate2 certificate, string user, string token)
    {
        var text = $"""
            apiVersion: v1
            kind: Config
            current-context: phi
            clusters:
            - name: phi
              cluster:
                server: {server.GetLeftPart(UriPartial.Authority)}
                certificate-authority-data: {Convert.ToBase64String(Encoding.UTF8.GetBytes(certificate.ExportCertificatePem()))}
            users:
            - name: {user}
              user:
                token: {token}
            contexts:
            - name: phi
              context:
                cluster: phi
                user: {user}
                namespace: default

            """;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = path + ".tmp";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var writer = new StreamWriter(stream))
        {
            writer.Write(text);
        }

        File.Move(temporary, path, overwrite: true);
    }
}

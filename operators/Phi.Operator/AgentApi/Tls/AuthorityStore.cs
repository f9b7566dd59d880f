using System.Security.Cryptography;
using System.Text;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>Where the authority is kept, and made at the first start.</summary>
internal static class AuthorityStore
{
    public const string SharedName = "phi-operator-agent-ca";
    private const string CertificateKey = "ca.crt";
    private const string PrivateKey = "ca.key";

    /// <summary>The one that all replicas share, in a Secret of their namespace; at first that of the folder, so that pods of before trust it.</summary>
    /// <exception cref="KubernetesApiException">The Secret may not be read or created.</exception>
    /// <exception cref="InvalidDataException">It has no usable authority.</exception>
    public static async Task<AgentAuthority> LoadOrCreateAsync(KubernetesConnection connection, string @namespace, string folder, TimeProvider time, CancellationToken ct)
    {
        while (true)
        {
            if (await connection.Secrets().GetAsync(@namespace, SharedName, ct) is { } shared)
            {
                return shared.Data is { } data && data.TryGetValue(CertificateKey, out var certificate) && data.TryGetValue(PrivateKey, out var key)
                    ? Read(Encoding.UTF8.GetString(certificate), Encoding.UTF8.GetString(key), $"the Secret {@namespace}/{SharedName}")
                    : throw Unusable($"the Secret {@namespace}/{SharedName}", $"it has no {CertificateKey} and {PrivateKey}");
            }

            using var own = LoadOrCreate(folder, time);
            await OwnSecret.EnsureAsync(
                connection, @namespace, SharedName,
                new Dictionary<string, byte[]> { [CertificateKey] = Encoding.UTF8.GetBytes(own.CertificatePem), [PrivateKey] = Encoding.UTF8.GetBytes(own.KeyPem()) },
                PhiNames.OperatorFieldManager, ct);
        }
    }

    /// <summary>The one kept in the folder, readable by its owner alone.</summary>
    /// <exception cref="InvalidDataException">It is unusable.</exception>
    public static AgentAuthority LoadOrCreate(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "agent-ca.pem");
        if (!File.Exists(path))
        {
            using var created = AgentAuthority.Create(time.GetUtcNow());
            var temporary = path + ".tmp";
            File.Delete(temporary);
            using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                stream.Write(Encoding.UTF8.GetBytes(created.CertificatePem + created.KeyPem()));
            }

            File.Move(temporary, path);
        }

        var pem = File.ReadAllText(path);
        return Read(pem, pem, path);
    }

    private static AgentAuthority Read(string certificate, string key, string where)
    {
        try
        {
            return AgentAuthority.Read(certificate, key);
        }
        catch (CryptographicException e)
        {
            throw Unusable(where, e.Message);
        }
    }

    private static InvalidDataException Unusable(string where, string why) =>
        new($"{where} holds no authority for the agent API's certificates ({why}); delete it, and the operator makes a new one (pods that run then are lost to it, and their jobs restart)");
}

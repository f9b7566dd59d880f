using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.AgentApi;

/// <summary>The operator's secret, shared by its replicas, and the keys that follow from it: each is a keyed hash, so none must be stored.</summary>
internal sealed class AgentTokens
{
    private const string SharedName = "phi-operator-agent-tokens";
    private const string SharedKey = "secret";
    private const int SecretBytes = 32;
    private readonly byte[] _secret;

    private AgentTokens(byte[] secret) => _secret = secret;

    /// <summary>
    /// The secret that all replicas share, in a Secret of their namespace; made at the first start, from that of the folder, so that pods
    /// of before keep their tokens.
    /// </summary>
    /// <exception cref="KubernetesApiException">The Secret may not be read or created.</exception>
    /// <exception cref="InvalidDataException">It has no usable key.</exception>
    public static async Task<AgentTokens> LoadOrCreateAsync(KubernetesConnection connection, string @namespace, string folder, CancellationToken ct)
    {
        while (true)
        {
            if (await connection.Secrets().GetAsync(@namespace, SharedName, ct) is { } shared)
            {
                return shared.Data is { } data && data.TryGetValue(SharedKey, out var secret) && secret.Length >= SecretBytes
                    ? new AgentTokens(secret)
                    : throw new InvalidDataException($"the Secret {@namespace}/{SharedName} has no key {SharedKey} of at least {SecretBytes} bytes; delete it, and the operator makes a new one (jobs that run then need a restart)");
            }

            await OwnSecret.EnsureAsync(connection, @namespace, SharedName, new Dictionary<string, byte[]> { [SharedKey] = LoadOrCreate(folder)._secret }, PhiNames.OperatorFieldManager, ct);
        }
    }

    /// <summary>The secret kept in the folder; made at the first start, readable by its owner alone.</summary>
    public static AgentTokens LoadOrCreate(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "agent-secret");
        if (!File.Exists(path))
        {
            var temporary = path + ".tmp";
            File.Delete(temporary);
            using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                stream.Write(RandomNumberGenerator.GetBytes(SecretBytes));
            }

            File.Move(temporary, path);
        }

        return new AgentTokens(File.ReadAllBytes(path));
    }

    /// <summary>The key that the pods of one attempt share. A uid has no spaces, so it is no token of <see cref="Identity.LegacyPods"/>.</summary>
    public string PeerKey(string jobUid, int attempt) => Hash(string.Create(CultureInfo.InvariantCulture, $"peers {jobUid} {attempt}"));

    /// <summary>The token of a job's pods of before (<see cref="Identity.LegacyPods"/>).</summary>
    public string For(string jobUid) => Hash(jobUid);

    public bool IsValid(string jobUid, string token) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(For(jobUid)), Encoding.UTF8.GetBytes(token));

    private string Hash(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(text)));
}

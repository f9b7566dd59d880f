using System.Security.Cryptography;
using System.Text;

namespace Phi.Operator.AgentApi;

/// <summary>Tokens of agents: a keyed hash of the job's uid, so that each is good for one job alone and none must be stored.</summary>
internal sealed class AgentTokens
{
    private const int SecretBytes = 32;
    private readonly byte[] _secret;

    private AgentTokens(byte[] secret) => _secret = secret;

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

    public string For(string jobUid) => Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(jobUid)));

    public bool IsValid(string jobUid, string token) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(For(jobUid)), Encoding.UTF8.GetBytes(token));
}

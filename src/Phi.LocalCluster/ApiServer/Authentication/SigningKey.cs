using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>The key that signs service account tokens: P-256, so that the tokens are JWTs of algorithm ES256 (RFC 7518).</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly string _id;

    private SigningKey(ECDsa key)
    {
        _key = key;
        _id = Base64Url.EncodeToString(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
    }

    /// <summary>The key kept in the folder, readable by its owner alone; a new one if there is none.</summary>
    public static SigningKey LoadOrCreate(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "service-account.key");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
        {
            key.ImportFromPem(File.ReadAllText(path));
            return new SigningKey(key);
        }

        var temporary = path + ".tmp";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var writer = new StreamWriter(stream))
        {
            writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
        }

        File.Move(temporary, path);
        return new SigningKey(key);
    }

    public string Sign(JsonObject claims)
    {
        var head = Encode(new JsonObject { ["alg"] = "ES256", ["kid"] = _id });
        var signed = $"{head}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    /// <summary>The claims of a token that this key signed; null for any other text.</summary>
    public JsonObject? Verify(string token)
    {
        try
        {
            return token.Split('.') is [var head, var body, var signature]
                && _key.VerifyData(Encoding.UTF8.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256)
                && (string?)JsonNode.Parse(Base64Url.DecodeFromChars(head))?["alg"] == "ES256"
                ? JsonNode.Parse(Base64Url.DecodeFromChars(body)) as JsonObject
                : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    public void Dispose() => _key.Dispose();

    private static string Encode(JsonObject value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}

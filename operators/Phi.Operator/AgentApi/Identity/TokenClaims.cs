using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>
/// What a token says of itself (kubernetes.io, "Managing Service Accounts"); its signature is not looked at, so this alone proves nothing.
/// </summary>
/// <param name="Expiry">Null: it does not say.</param>
/// <param name="Pod">Null: it names none.</param>
internal sealed record TokenClaims(DateTimeOffset? Expiry, PodIdentity? Pod)
{
    private static readonly TokenClaims None = new(null, null);

    public static TokenClaims Read(string token)
    {
        try
        {
            if (token.Split('.') is not [_, var body, _] || JsonNode.Parse(Base64Url.DecodeFromChars(body)) is not JsonObject claims)
            {
                return None;
            }

            var about = claims["kubernetes.io"];
            var expiry = (double?)claims["exp"] is { } seconds and > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : (DateTimeOffset?)null;
            return new TokenClaims(expiry, (string?)about?["namespace"] is { } @namespace && (string?)about["pod"]?["name"] is { } name && (string?)about["pod"]?["uid"] is { } uid ? new PodIdentity(@namespace, name, uid) : null);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or ArgumentException)
        {
            // Not what the API server issues; what it is worth, a review says.
            return None;
        }
    }
}

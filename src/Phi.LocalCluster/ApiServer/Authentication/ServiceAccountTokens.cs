using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>
/// Tokens of service accounts (kubernetes.io, "Managing Service Accounts"): bound to the account and, if asked, to a pod, secret or node.
/// A token is good while all that it names is there with the uid that it had.
/// </summary>
internal sealed class ServiceAccountTokens(ObjectStore store, SigningKey key, TimeProvider clock)
{
    /// <summary>Issuer, and the audience of this server.</summary>
    public const string Issuer = "https://kubernetes.default.svc";
    private const string ClaimName = "kubernetes.io";
    private const string ExtraPrefix = "authentication.kubernetes.io/";
    private static readonly (string Claim, string Resource)[] Bindings = [("pod", "pods"), ("secret", "secrets"), ("node", "nodes")];

    /// <param name="bound">Claim (pod, secret, node) to the object that the token depends on.</param>
    public string Issue(JsonObject account, IReadOnlyList<string> audiences, TimeSpan lifetime, IReadOnlyList<(string Claim, JsonObject Object)> bound)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var (@namespace, name) = (Text(account, "namespace"), Text(account, "name"));
        var claim = new JsonObject { ["namespace"] = @namespace, ["serviceaccount"] = Reference(account) };
        foreach (var (kind, target) in bound)
        {
            claim[kind] = Reference(target);
        }

        return key.Sign(new JsonObject
        {
            ["aud"] = new JsonArray([.. audiences.Select(audience => (JsonNode?)audience)]),
            ["exp"] = now + (long)lifetime.TotalSeconds,
            ["iat"] = now,
            ["iss"] = Issuer,
            ["jti"] = Guid.NewGuid().ToString(),
            [ClaimName] = claim,
            ["nbf"] = now,
            ["sub"] = UserInfo.AccountName(@namespace, name),
        });
    }

    /// <summary>Whose token it is, and those of the wanted audiences that it is for. Null if it is not, or no longer, good.</summary>
    public (UserInfo User, IReadOnlyList<string> Audiences)? Identify(string token, IReadOnlyList<string> audiences)
    {
        if (key.Verify(token) is not { } claims || claims[ClaimName] is not JsonObject about || (string?)claims["iss"] != Issuer)
        {
            return null;
        }

        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var common = (claims["aud"] as JsonArray ?? []).Select(audience => (string)audience!).Intersect(audiences).ToList();
        var @namespace = (string)about["namespace"]!;
        if (common.Count == 0 || (long)claims["nbf"]! > now || (long)claims["exp"]! <= now || !Lives("serviceaccounts", @namespace, about["serviceaccount"]!))
        {
            return null;
        }

        var extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [$"{ExtraPrefix}credential-id"] = [$"JTI={(string?)claims["jti"]}"] };
        foreach (var (kind, resource) in Bindings)
        {
            if (about[kind] is not { } bound)
            {
                continue;
            }

            // A pod's token names its node for information alone.
            if (!(kind == "node" && about["pod"] is not null) && !Lives(resource, kind == "node" ? "" : @namespace, bound))
            {
                return null;
            }

            if (kind != "secret")
            {
                extra[$"{ExtraPrefix}{kind}-name"] = [(string)bound["name"]!];
                extra[$"{ExtraPrefix}{kind}-uid"] = [(string)bound["uid"]!];
            }
        }

        var user = new UserInfo((string)claims["sub"]!, UserInfo.AccountGroups(@namespace)) { Uid = (string)about["serviceaccount"]!["uid"]!, Extra = extra };
        return (user, common);
    }

    private bool Lives(string resource, string @namespace, JsonNode reference) =>
        store.Get(resource, new ObjectKey(@namespace, (string)reference["name"]!)) is { } found && Text(found, "uid") == (string?)reference["uid"];

    private static JsonObject Reference(JsonObject value) => new() { ["name"] = Text(value, "name"), ["uid"] = Text(value, "uid") };

    private static string Text(JsonObject value, string field) => (string)value["metadata"]![field]!;
}

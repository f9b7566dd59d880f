using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Authorization;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>Who a request comes from: its bearer token, then the user whom it impersonates.</summary>
internal sealed class Authenticator(string adminToken, ServiceAccountTokens tokens, Rbac rbac)
{
    private const string ExtraHeader = "Impersonate-Extra-";
    private readonly byte[] _admin = Hash(adminToken);

    /// <exception cref="ApiException">401: no token, or none that is good. 403: the user may not impersonate whom it asks for.</exception>
    public UserInfo Authenticate(HttpContext http)
    {
        var header = (string?)http.Request.Headers.Authorization ?? "";
        var token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : "";
        var user = Identify(token, [ServiceAccountTokens.Issuer])?.User ?? throw new ApiException(401, "Unauthorized", "Unauthorized");
        return Impersonate(user, http.Request.Headers);
    }

    /// <summary>Whose token it is, and those of the wanted audiences that it is for. Null if it is not good.</summary>
    public (UserInfo User, IReadOnlyList<string> Audiences)? Identify(string token, IReadOnlyList<string> audiences) =>
        CryptographicOperations.FixedTimeEquals(Hash(token), _admin)
            ? audiences.Contains(ServiceAccountTokens.Issuer) ? (UserInfo.Admin, [ServiceAccountTokens.Issuer]) : null
            : tokens.Identify(token, audiences);

    /// <summary>kubernetes.io, "User impersonation": each thing taken on needs the verb impersonate on it.</summary>
    private UserInfo Impersonate(UserInfo user, IHeaderDictionary headers)
    {
        var name = (string?)headers["Impersonate-User"] ?? "";
        var groups = headers["Impersonate-Group"].OfType<string>().ToList();
        var uid = (string?)headers["Impersonate-Uid"] ?? "";
        var extra = headers.Where(header => header.Key.StartsWith(ExtraHeader, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => Uri.UnescapeDataString(header.Key[ExtraHeader.Length..]).ToLowerInvariant(), header => (IReadOnlyList<string>)[.. header.Value.OfType<string>()]);
        if (name.Length == 0)
        {
            return groups.Count == 0 && uid.Length == 0 && extra.Count == 0 ? user : throw ApiException.BadRequest("groups, a uid or extra values can be impersonated only together with a user: set the header Impersonate-User");
        }

        var account = UserInfo.Account(name);
        Require(account is { } robot ? new AccessAttributes(user, "impersonate") { Resource = "serviceaccounts", Namespace = robot.Namespace, Name = robot.Name } : new AccessAttributes(user, "impersonate") { Resource = "users", Name = name });
        foreach (var group in groups)
        {
            Require(new AccessAttributes(user, "impersonate") { Resource = "groups", Name = group });
        }

        if (uid.Length > 0)
        {
            Require(new AccessAttributes(user, "impersonate") { Group = "authentication.k8s.io", Resource = "uids", Name = uid });
        }

        foreach (var (key, value) in extra.SelectMany(pair => pair.Value.Select(value => (pair.Key, value))))
        {
            Require(new AccessAttributes(user, "impersonate") { Group = "authentication.k8s.io", Resource = "userextras", Subresource = key, Name = value });
        }

        if (account is { } of && groups.Count == 0)
        {
            groups.AddRange(UserInfo.AccountGroups(of.Namespace));
        }

        if (name != UserInfo.Anonymous && !groups.Contains(UserInfo.Authenticated))
        {
            groups.Add(UserInfo.Authenticated);
        }

        return new UserInfo(name, groups) { Uid = uid, Extra = extra };
    }

    private void Require(AccessAttributes attributes)
    {
        if (!rbac.Allows(attributes))
        {
            throw attributes.Refusal();
        }
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

using System.Security.Claims;

namespace Phi.Dashboard.SignIn;

/// <summary>From what an OpenID provider says of a person to the role here.</summary>
internal sealed class RoleMap(OidcOptions options)
{
    /// <summary>Instead of a value: whoever the provider signs in.</summary>
    private const string Anyone = "*";

    /// <returns>Null: the person has no role here.</returns>
    public string? RoleOf(ClaimsPrincipal person)
    {
        var values = person.FindAll(options.RoleClaim).Select(claim => claim.Value).ToHashSet(StringComparer.Ordinal);
        return Has(options.Admins) ? Role.Admin : Has(options.Operators) ? Role.Operator : Has(options.Viewers) ? Role.Viewer : null;

        bool Has(IReadOnlyList<string> wanted) => wanted.Any(value => value == Anyone || values.Contains(value));
    }

    /// <summary>As the audit log names the person.</summary>
    public string Name(ClaimsPrincipal person) =>
        person.FindFirst(options.NameClaim)?.Value ?? person.FindFirst("email")?.Value ?? person.FindFirst("sub")?.Value ?? "unknown";

    /// <summary>Why a person without a role may not enter, and what would let them.</summary>
    public string Refusal(ClaimsPrincipal person) =>
        $"{Name(person)} is known to {options.Authority.Host}, but has no role here: none of the values of the claim '{options.RoleClaim}' is among those that give one. Ask whoever runs this dashboard.";
}

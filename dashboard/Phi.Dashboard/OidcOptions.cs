namespace Phi.Dashboard;

/// <summary>Sign-in by an OpenID Connect provider (authorization code with PKCE), and whom it gives which role.</summary>
public sealed class OidcOptions
{
    /// <summary>The issuer; its <c>/.well-known/openid-configuration</c> is read.</summary>
    public required Uri Authority { get; init; }

    public required string ClientId { get; init; }

    /// <summary>Null: a public client.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Beside openid and profile.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The claim that has a person's groups or roles.</summary>
    public string RoleClaim { get; init; } = "groups";

    /// <summary>The claim by which the audit log names a person.</summary>
    public string NameClaim { get; init; } = "preferred_username";

    /// <summary>Values of the claim that make a viewer; * is anyone whom the provider signs in.</summary>
    public IReadOnlyList<string> Viewers { get; init; } = [];

    /// <summary>Values that make an operator.</summary>
    public IReadOnlyList<string> Operators { get; init; } = [];

    /// <summary>Values that make an admin.</summary>
    public IReadOnlyList<string> Admins { get; init; } = [];
}

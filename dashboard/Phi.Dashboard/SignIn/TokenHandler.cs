using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Phi.Dashboard.SignIn;

/// <summary>Programs that send the dashboard's own token as bearer.</summary>
internal sealed class TokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, SharedToken token)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "token";
    private const string Prefix = "Bearer ";

    public static string? Bearer(string? header) => header?.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) == true ? header[Prefix.Length..].Trim() : null;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
        token.Is(Bearer(Request.Headers.Authorization))
            ? AuthenticateResult.Success(new AuthenticationTicket(SharedToken.Person(), SchemeName))
            : AuthenticateResult.NoResult());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => SignInAnswers.UnauthorizedAsync(Context);
}

/// <summary>The token of a dashboard on one machine. Whoever knows it is an admin.</summary>
internal sealed class SharedToken(string? token)
{
    /// <summary>Of equal length whatever is given, so that comparing takes the same time.</summary>
    private readonly byte[]? _digest = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public bool IsSet => _digest is not null;

    public bool Is(string? given) => _digest is not null && given is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _digest);

    public static ClaimsPrincipal Person() => Role.Person("token", Role.Admin, TokenHandler.SchemeName);
}

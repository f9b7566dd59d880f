using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;

namespace Phi.Dashboard.SignIn;

/// <summary>Whose page it is. A page may stay open for longer than its session lasts: then it has nobody's.</summary>
internal sealed class SessionState(ILoggerFactory logs, TimeProvider time) : RevalidatingServerAuthenticationStateProvider(logs)
{
    private const string EndClaim = "phi-session-end";

    protected override TimeSpan RevalidationInterval => TimeSpan.FromMinutes(1);

    /// <summary>The person with a session that ends then.</summary>
    public static ClaimsPrincipal Until(DateTimeOffset end, ClaimsPrincipal person)
    {
        ((ClaimsIdentity)person.Identity!).AddClaim(new Claim(EndClaim, end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)));
        return person;
    }

    public static bool HasEnded(ClaimsPrincipal person, DateTimeOffset now) =>
        long.TryParse(person.FindFirst(EndClaim)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && now.ToUnixTimeSeconds() >= end;

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        Task.FromResult(!HasEnded(authenticationState.User, time.GetUtcNow()));
}

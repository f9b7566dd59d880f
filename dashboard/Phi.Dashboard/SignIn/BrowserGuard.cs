using Microsoft.AspNetCore.Http;

namespace Phi.Dashboard.SignIn;

/// <summary>
/// What a browser may do with the dashboard's pages: run its own scripts, talk to it alone, and be framed by nobody. And what another site's
/// pages may do with the dashboard: nothing. A neighbour on another port or subdomain is such a site too, though it is sent the cookies.
/// </summary>
internal sealed class BrowserGuard
{
    private readonly string _policy;

    public BrowserGuard(OidcOptions? oidc)
    {
        // A form that is answered with a redirect to the provider counts as one that is sent there.
        var forms = oidc is null ? "'self'" : $"'self' {oidc.Authority.GetLeftPart(UriPartial.Authority)}";
        // MudBlazor sets styles in elements, and its theme in one.
        _policy = $"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action {forms}; base-uri 'self'; frame-ancestors 'none'";
    }

    public Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return IsOfAnotherOrigin(http.Request)
            ? Results.Problem("another site's page may not use the dashboard", statusCode: 403, title: "Forbidden").ExecuteAsync(http)
            : next(http);
    }

    private static bool IsOfAnotherOrigin(HttpRequest request) =>
        (string?)request.Headers.Origin is { Length: > 0 } origin && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == request.Host.Value);
}

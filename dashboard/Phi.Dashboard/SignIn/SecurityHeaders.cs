using Microsoft.AspNetCore.Http;

namespace Phi.Dashboard.SignIn;

/// <summary>What a browser may do with the dashboard's pages: run its own scripts, talk to it alone, and be framed by nobody.</summary>
internal sealed class SecurityHeaders
{
    private readonly string _policy;

    public SecurityHeaders(OidcOptions? oidc)
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
        return next(http);
    }
}

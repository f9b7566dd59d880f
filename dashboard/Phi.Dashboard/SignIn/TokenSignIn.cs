using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Phi.Dashboard.SignIn;

/// <summary>Signs in whoever knows the token: it comes once in the query, and a cookie that holds its keyed hash takes over.</summary>
internal sealed class TokenSignIn(string token)
{
    private const string Cookie = "phi-session";
    private readonly byte[] _token = SHA256.HashData(Encoding.UTF8.GetBytes(token));
    private readonly string _session = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "phi dashboard session"u8));

    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if ((string?)http.Request.Query["token"] is { } given && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _token))
        {
            // Strict would be lost when the page is opened from a terminal or a chat; Lax is kept.
            http.Response.Cookies.Append(Cookie, _session, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromDays(30), Secure = http.Request.IsHttps });
            var rest = http.Request.Query.Where(pair => pair.Key != "token").SelectMany(pair => pair.Value.Select(value => $"{pair.Key}={Uri.EscapeDataString(value ?? "")}"));
            http.Response.Redirect($"{http.Request.Path}{(rest.Any() ? "?" + string.Join('&', rest) : "")}");
            return;
        }

        var cookie = http.Request.Cookies[Cookie] ?? "";
        if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(cookie), Encoding.UTF8.GetBytes(_session)))
        {
            await next(http);
            return;
        }

        http.Response.StatusCode = 401;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync("Not signed in. Open the link that `phi up` printed; it ends in ?token=…\n", http.RequestAborted);
    }
}

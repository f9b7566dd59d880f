using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Phi.EndToEnd.Tests;

/// <summary>An OpenID provider with a few people: discovery, authorization code with PKCE, and signed tokens.</summary>
internal sealed class TestAuthority : IAsyncDisposable
{
    public const string ClientId = "phi";
    public const string ClientSecret = "a secret of the test";
    private const string KeyId = "test";

    /// <summary>By name, with their groups.</summary>
    private static readonly Dictionary<string, string[]> People = new(StringComparer.Ordinal)
    {
        ["vera"] = ["readers"],
        ["oscar"] = ["readers", "researchers"],
        ["ada"] = ["platform"],
        ["nobody"] = ["sales"],
    };

    private readonly RSA _key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, Grant> _grants = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private TestAuthority(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    public static async Task<TestAuthority> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var authority = new TestAuthority(builder.Build());
        authority._app.Urls.Add("http://127.0.0.1:0");
        authority.Map();
        await authority._app.StartAsync();
        authority.Address = new Uri(authority._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return authority;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    /// <summary>As a program of that person would send it as bearer.</summary>
    /// <param name="audience">For whom it is.</param>
    public string Token(string person, string audience = ClientId, string? nonce = null, TimeSpan? lifetime = null)
    {
        var now = DateTimeOffset.UtcNow;
        var claims = new Dictionary<string, object?>(Claims(person))
        {
            ["iss"] = Issuer,
            ["aud"] = audience,
            ["nonce"] = nonce,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + (lifetime ?? TimeSpan.FromHours(1))).ToUnixTimeSeconds(),
        };
        var text = $"{Part(new { alg = "RS256", typ = "JWT", kid = KeyId })}.{Part(claims)}";
        return $"{text}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private string Issuer => Address.ToString().TrimEnd('/');

    private static Dictionary<string, object?> Claims(string person) => new() { ["sub"] = $"id-of-{person}", ["preferred_username"] = person, ["groups"] = People[person] };

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));

    private void Map()
    {
        _app.MapGet("/.well-known/openid-configuration", () => Results.Json(new
        {
            issuer = Issuer,
            authorization_endpoint = $"{Issuer}/authorize",
            token_endpoint = $"{Issuer}/token",
            userinfo_endpoint = $"{Issuer}/userinfo",
            jwks_uri = $"{Issuer}/keys",
            response_types_supported = new[] { "code" },
            subject_types_supported = new[] { "public" },
            id_token_signing_alg_values_supported = new[] { "RS256" },
        }));
        _app.MapGet("/keys", () =>
        {
            var key = _key.ExportParameters(includePrivateParameters: false);
            return Results.Json(new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = KeyId, n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } });
        });
        _app.MapGet("/authorize", (HttpRequest request) => Results.Content(
            $"<!DOCTYPE html><title>Who are you?</title>{string.Concat(People.Keys.Select(person => $"<p><a href=\"/enter{request.QueryString}&amp;person={person}\">{person}</a>"))}", "text/html"));
        _app.MapGet("/enter", (string person, string redirect_uri, string state, string nonce, string code_challenge, string client_id) =>
        {
            Assert.Equal(ClientId, client_id);
            var code = RandomNumberGenerator.GetHexString(32);
            _grants[code] = new Grant(person, redirect_uri, nonce, code_challenge);
            return Results.Redirect($"{redirect_uri}?code={code}&state={Uri.EscapeDataString(state)}");
        });
        _app.MapPost("/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            return form["client_id"] == ClientId && form["client_secret"] == ClientSecret && _grants.TryRemove(form["code"].ToString(), out var grant) && grant.RedirectUri == form["redirect_uri"]
                && Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) == grant.Challenge
                ? Results.Json(new { access_token = Token(grant.Person, "userinfo"), token_type = "Bearer", expires_in = 3600, id_token = Token(grant.Person, ClientId, grant.Nonce) })
                : Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        });
        _app.MapGet("/userinfo", (HttpRequest request) =>
        {
            var payload = request.Headers.Authorization.ToString().Split('.')[1];
            using var token = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return Results.Json(Claims(token.RootElement.GetProperty("preferred_username").GetString()!));
        });
    }

    private sealed record Grant(string Person, string RedirectUri, string Nonce, string Challenge);
}

using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Phi.Kubernetes;

namespace Phi.Dashboard.SignIn;

/// <summary>Who is let in: a session by the token or by an OpenID provider, or a bearer with each request. Nothing but the sign-in is for everybody.</summary>
internal static class SignInHost
{
    public const string Path = "/sign-in";
    public const string CallbackPath = "/signin-oidc";
    private const string AnyScheme = "phi";
    private static readonly TimeSpan TokenSession = TimeSpan.FromDays(30);

    public static void AddServices(IServiceCollection services, DashboardOptions options, KubernetesConnection connection)
    {
        services.AddSingleton(new SharedToken(options.Token));
        services.AddDataProtection().SetApplicationName("phi-dashboard");
        services.Configure<KeyManagementOptions>(keys => keys.XmlRepository = new SecretKeyRepository(connection, options.Namespace ?? PodNamespace.Own(options.Kubeconfig)));
        services.AddAntiforgery(antiforgery => (antiforgery.Cookie.Name, antiforgery.Cookie.SameSite) = ("phi-antiforgery", SameSiteMode.Strict));
        var authentication = services.AddAuthentication(AnyScheme)
            .AddPolicyScheme(AnyScheme, null, any => any.ForwardDefaultSelector = http => Scheme(http, options.Oidc))
            .AddScheme<AuthenticationSchemeOptions, TokenHandler>(TokenHandler.SchemeName, null)
            .AddCookie(Session);
        if (options.Oidc is { } oidc)
        {
            authentication.AddOpenIdConnect(provider => Provider(provider, oidc, options.Session)).AddJwtBearer(bearer => Bearer(bearer, oidc));
        }

        services.AddAuthorizationBuilder().SetDefaultPolicy(Everyone()).SetFallbackPolicy(Everyone());
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, SessionState>();
    }

    /// <summary>Before what it guards.</summary>
    public static void Use(WebApplication app, DashboardOptions options)
    {
        var guard = new BrowserGuard(options.Oidc);
        var token = app.Services.GetRequiredService<SharedToken>();
        app.Use(next => http => guard.InvokeAsync(http, next));
        app.UseAuthentication();
        app.Use(next => async http =>
        {
            if (HttpMethods.IsGet(http.Request.Method) && (string?)http.Request.Query["token"] is { } given && token.Is(given))
            {
                await EnterAsync(http, token);
                http.Response.Redirect(SignInAnswers.Local(http.Request.Path + SignInAnswers.Without(http.Request, "token")));
                return;
            }

            await next(http);
        });
        app.UseAuthorization();
    }

    public static void Map(IEndpointRouteBuilder routes, OidcOptions? oidc)
    {
        var pages = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        pages.MapGet(Path, (HttpContext http) => SignInAnswers.PageAsync(http, 200, null));
        pages.MapPost(Path, async ([FromForm] string token, [FromForm(Name = "return")] string? path, HttpContext http, SharedToken shared) =>
        {
            if (!shared.Is(token))
            {
                await SignInAnswers.PageAsync(http, 401, "This is not the token. `phi up` prints the link that has it.");
                return;
            }

            await EnterAsync(http, shared);
            http.Response.Redirect(SignInAnswers.Local(path));
        });
        if (oidc is not null)
        {
            pages.MapPost($"{Path}/provider", ([FromForm(Name = "return")] string? path) =>
                Results.Challenge(new AuthenticationProperties { RedirectUri = SignInAnswers.Local(path) }, [OpenIdConnectDefaults.AuthenticationScheme]));
        }

        // Bound to a form, so that the antiforgery token is asked for.
        pages.MapPost("/sign-out", async (IFormCollection _, HttpContext http) =>
        {
            await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
            http.Response.Redirect(Path);
        });
    }

    private static AuthorizationPolicy Everyone() => new AuthorizationPolicyBuilder(AnyScheme).RequireRole(Role.Viewer).Build();

    private static string Scheme(HttpContext http, OidcOptions? oidc) => TokenHandler.Bearer(http.Request.Headers.Authorization) is not { } given
        ? CookieAuthenticationDefaults.AuthenticationScheme
        : oidc is null || http.RequestServices.GetRequiredService<SharedToken>().Is(given) ? TokenHandler.SchemeName : JwtBearerDefaults.AuthenticationScheme;

    private static Task EnterAsync(HttpContext http, SharedToken token)
    {
        var end = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + TokenSession;
        return http.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, SessionState.Until(end, SharedToken.Person()), new AuthenticationProperties { IsPersistent = true, ExpiresUtc = end });
    }

    private static void Session(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "phi-session";
        cookie.Cookie.HttpOnly = true;
        // Strict would be lost when the page is opened from a terminal or a chat; Lax is kept, and is sent with no request of another site but a link.
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.SlidingExpiration = false;
        cookie.Events.OnRedirectToLogin = context => SignInAnswers.UnauthorizedAsync(context.HttpContext);
        cookie.Events.OnRedirectToAccessDenied = context => SignInAnswers.ForbiddenAsync(context.HttpContext);
    }

    private static void Provider(OpenIdConnectOptions provider, OidcOptions oidc, TimeSpan session)
    {
        var roles = new RoleMap(oidc);
        provider.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        provider.Authority = oidc.Authority.ToString();
        provider.RequireHttpsMetadata = !oidc.Authority.IsLoopback;
        provider.ClientId = oidc.ClientId;
        provider.ClientSecret = oidc.ClientSecret;
        provider.CallbackPath = CallbackPath;
        provider.ResponseType = OpenIdConnectResponseType.Code;
        // By query the answer is a link: cookies may then be Lax, and need no TLS on one machine.
        provider.ResponseMode = OpenIdConnectResponseMode.Query;
        provider.UsePkce = true;
        provider.MapInboundClaims = false;
        provider.GetClaimsFromUserInfoEndpoint = true;
        provider.ClaimActions.MapAll();
        foreach (var scope in oidc.Scopes)
        {
            provider.Scope.Add(scope);
        }

        foreach (var cookie in new[] { provider.CorrelationCookie, provider.NonceCookie })
        {
            (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
        }

        // After the answer of the userinfo endpoint, which has the groups with some providers.
        provider.Events.OnTicketReceived = context =>
        {
            if (roles.RoleOf(context.Principal!) is not { } role)
            {
                context.HandleResponse();
                return SignInAnswers.PageAsync(context.HttpContext, 403, roles.Refusal(context.Principal!));
            }

            var end = context.HttpContext.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + session;
            context.Principal = SessionState.Until(end, Role.Person(roles.Name(context.Principal!), role, OpenIdConnectDefaults.AuthenticationScheme));
            context.Properties!.IsPersistent = true;
            context.Properties.ExpiresUtc = end;
            return Task.CompletedTask;
        };
        provider.Events.OnRemoteFailure = context =>
        {
            context.HandleResponse();
            return SignInAnswers.PageAsync(context.HttpContext, 401, $"The sign-in at {oidc.Authority.Host} did not succeed: {context.Failure?.Message}");
        };
    }

    private static void Bearer(JwtBearerOptions bearer, OidcOptions oidc)
    {
        var roles = new RoleMap(oidc);
        bearer.Authority = oidc.Authority.ToString();
        bearer.RequireHttpsMetadata = !oidc.Authority.IsLoopback;
        bearer.MapInboundClaims = false;
        bearer.TokenValidationParameters = new TokenValidationParameters { ValidAudience = oidc.ClientId };
        bearer.Events = new JwtBearerEvents
        {
            OnTokenValidated = context =>
            {
                if (roles.RoleOf(context.Principal!) is { } role)
                {
                    context.Principal = Role.Person(roles.Name(context.Principal!), role, JwtBearerDefaults.AuthenticationScheme);
                }
                else
                {
                    context.Fail(roles.Refusal(context.Principal!));
                }

                return Task.CompletedTask;
            },
            OnChallenge = context =>
            {
                context.HandleResponse();
                return SignInAnswers.UnauthorizedAsync(context.HttpContext);
            },
            OnForbidden = context => SignInAnswers.ForbiddenAsync(context.HttpContext),
        };
    }
}

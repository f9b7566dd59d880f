using System.Net;
using System.Net.Http.Headers;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>People sign in to a dashboard by an OpenID provider, and are shown and allowed what their role may.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class SignInTests(TrainedCluster trained, SignInTests.Dashboard dashboard) : IClassFixture<SignInTests.Dashboard>
{
    private const string Token = "token-of-the-test";

    private PhiCluster Cluster => trained.Cluster;

    private string JobPath => $"/jobs/{Cluster.Namespace}/{TrainedCluster.Job}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Uri Root => dashboard.Root;

    [Theory]
    [InlineData("vera", false, false)]
    [InlineData("oscar", true, false)]
    [InlineData("ada", true, true)]
    public async Task SignIn_ByTheProvider_LeadsToThePageAndShowsWhatTheRoleMay(string person, bool mayOperate, bool mayDelete)
    {
        await using var browser = await SignInAsync(person, JobPath);
        var page = browser.Page;
        await page.GetByRole(AriaRole.Heading, new() { Name = $"{Cluster.Namespace}/{TrainedCluster.Job}" }).WaitForAsync();
        await page.Locator($"[data-checkpoint='{TrainedCluster.Steps}']").WaitForAsync();

        Assert.Equal(JobPath, new Uri(page.Url).AbsolutePath);
        Assert.Equal(mayDelete, await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).CountAsync() == 1);
        Assert.Equal(mayOperate, await page.GetByRole(AriaRole.Link, new() { Name = "Resubmit" }).CountAsync() == 1);
        Assert.Equal(mayOperate ? 200 : 403, (await page.GotoAsync(new Uri(Root, "/new").ToString()))!.Status);
        Assert.Equal(mayDelete ? 200 : 403, (await page.GotoAsync(new Uri(Root, "/audit").ToString()))!.Status);
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task SignIn_OfSomebodyWithoutARole_IsRefusedAndSaysWhy()
    {
        await using var browser = await SignInAsync("nobody", "/jobs");

        Assert.Contains("nobody is known to 127.0.0.1, but has no role here", await browser.Page.GetByRole(AriaRole.Alert).TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal(401, (await browser.Page.GotoAsync(new Uri(Root, "/jobs").ToString()))!.Status);
    }

    [Fact]
    public async Task SignOut_ThenAnyPage_AsksToSignInAgain()
    {
        await using var browser = await SignInAsync("vera", "/jobs");
        await browser.Page.Locator("[data-live=true] h1").WaitForAsync();

        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with 127.0.0.1" }).WaitForAsync();
        Assert.Equal(401, (await browser.Page.GotoAsync(new Uri(Root, JobPath).ToString()))!.Status);
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task SignInPage_OfAnyWidth_HasNoSeriousFinding(int width, ColorScheme scheme)
    {
        await using var browser = await BrowserPage.OpenAsync(new Uri(Root, "/jobs").ToString(), width, scheme);

        Assert.DoesNotContain((await browser.Page.RunAxe()).Violations, violation => violation.Impact is "serious" or "critical");
        if (Environment.GetEnvironmentVariable("PHI_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await browser.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"sign-in-{width}-{scheme}.png") });
        }
    }

    [Fact]
    public async Task Token_TypedIn_IsLookedAt()
    {
        await using var browser = await BrowserPage.OpenAsync(new Uri(Root, JobPath).ToString());
        var page = browser.Page;
        await page.GetByLabel("Token").FillAsync("another");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.GetByText("This is not the token.").WaitForAsync();

        await page.GetByLabel("Token").FillAsync(Token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.Locator("[data-live=true] h1").WaitForAsync();
    }

    [Fact]
    public async Task Api_ByBearer_TakesTheProvidersTokensAndTheDashboards()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(dashboard.Authority.Token("vera")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Token));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(null));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(dashboard.Authority.Token("nobody")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(dashboard.Authority.Token("ada", audience: "somebody else")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(dashboard.Authority.Token("ada", lifetime: TimeSpan.FromHours(-1))));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(dashboard.Authority.Token("ada")[..^8] + "AAAAAAAA"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("not a token"));
    }

    [Theory]
    [InlineData("/sign-out", "from=")]
    [InlineData("/sign-in", "token=" + Token)]
    [InlineData("/sign-in/provider", "return=/")]
    public async Task Form_WithoutItsAntiforgeryToken_IsRefused(string path, string form)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var content = new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded"));

        using var response = await http.PostAsync(new Uri(Root, path), content, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.False(response.Headers.Contains("Location"));
    }

    [Theory]
    [InlineData("http://elsewhere.example", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:1", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData(null, HttpStatusCode.OK)]
    public async Task Circuit_OfAnotherOriginsPage_IsRefused(string? origin, HttpStatusCode expected)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Root, "/_blazor/negotiate?negotiateVersion=1"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        request.Headers.Add("Origin", origin ?? Root.GetLeftPart(UriPartial.Authority));

        using var response = await http.SendAsync(request, Ct);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Pages_OfAnyKind_AllowTheirOwnScriptsAlone()
    {
        using var http = new HttpClient();
        foreach (var path in new[] { "/sign-in", "/jobs", "/api/v1/runs", "/_blazor/negotiate" })
        {
            using var response = await http.GetAsync(new Uri(Root, path), Ct);

            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        }
    }

    private async Task<BrowserPage> SignInAsync(string person, string path)
    {
        var browser = await BrowserPage.OpenAsync(new Uri(Root, path).ToString());
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with 127.0.0.1" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = person, Exact = true }).ClickAsync();
        return browser;
    }

    private async Task<HttpStatusCode> StatusAsync(string? bearer)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Root, "/api/v1/runs"));
        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        using var response = await http.SendAsync(request, Ct);
        return response.StatusCode;
    }

    /// <summary>A dashboard of the cluster for which a provider says who people are.</summary>
    public sealed class Dashboard(TrainedCluster trained) : IAsyncLifetime
    {
        private JoinedProcess? _process;

        internal TestAuthority Authority { get; private set; } = null!;

        internal Uri Root { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var cluster = trained.Cluster;
            Authority = await TestAuthority.StartAsync();
            var secret = Path.Combine(cluster.Work, "client-secret");
            await File.WriteAllTextAsync(secret, TestAuthority.ClientSecret + "\n");
            var address = Path.Combine(cluster.Work, "oidc-dashboard.url");
            _process = new JoinedProcess(
                Path.Combine(cluster.Home, "logs", "oidc-dashboard.log"),
                "dashboard", "--kubeconfig", cluster.Kubeconfig, "--telemetry", Path.Combine(cluster.Home, "telemetry.db"), "--token", Token, "--address-file", address,
                "--oidc-authority", Authority.Address.ToString(), "--oidc-client-id", TestAuthority.ClientId, "--oidc-client-secret-file", secret,
                "--viewers", "readers", "--operators", "researchers", "--admins", "platform");
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            while (!File.Exists(address))
            {
                Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? $"no dashboard\n{await cluster.EvidenceAsync()}" : "");
                await Task.Yield();
            }

            Root = new Uri((await File.ReadAllTextAsync(address)).Trim());
        }

        public async ValueTask DisposeAsync()
        {
            await (_process?.DisposeAsync() ?? ValueTask.CompletedTask);
            await Authority.DisposeAsync();
        }
    }
}

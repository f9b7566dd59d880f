using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>Debian's Chromium, signed in to a cluster's dashboard.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private BrowserPage(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <summary>Errors of the page's scripts, and what its security policy stopped.</summary>
    public List<string> Problems { get; } = [];

    public static Task<IBrowser> LaunchAsync(IPlaywright playwright) => playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = "/usr/bin/chromium",
        Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });

    /// <param name="url">With the token.</param>
    public static async Task<BrowserPage> OpenAsync(string url, int width = 1440, ColorScheme scheme = ColorScheme.Light)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await LaunchAsync(playwright);
        var context = await browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = width < 500 ? 844 : 900 }, ColorScheme = scheme });
        var opened = new BrowserPage(playwright, browser, await context.NewPageAsync());
        opened.Page.PageError += (_, error) => opened.Problems.Add(error);
        opened.Page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal))
            {
                opened.Problems.Add(message.Text);
            }
        };
        await opened.Page.GotoAsync(url);
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}

namespace Phi.Cli.Doctor;

/// <summary>Whether the dashboard answers.</summary>
internal static class DashboardCheck
{
    private const string Check = "dashboard";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="url">Null: none is known.</param>
    public static async Task<CheckResult> RunAsync(Uri? url, CancellationToken ct)
    {
        if (url is null)
        {
            return CheckResult.Skip(Check, "no dashboard is known; name it with --dashboard URL");
        }

        // The token of the link is for a browser.
        var address = url.GetLeftPart(UriPartial.Authority);
        try
        {
            using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = Patience };
            using var response = await http.GetAsync(new Uri(address), ct);
            return (int)response.StatusCode < 500
                ? CheckResult.Ok(Check, $"{address} answers")
                : CheckResult.Fail(Check, $"{address} answers with {(int)response.StatusCode}", "see its log");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            return CheckResult.Fail(Check, $"{address} does not answer: {e.Message}", "start it: phi dashboard …, or phi up on one machine; its log says why it ended");
        }
    }
}

using System.Globalization;
using System.Text.Json;
using Phi.Api.Agent;

namespace Phi.Trainer.Agent.Notices;

/// <summary>
/// Scheduled events of the Azure Instance Metadata Service, which names the machines that an event is for. A spot machine has at least
/// 30 s after a Preempt. (learn.microsoft.com/azure/virtual-machines/linux/scheduled-events, api-version 2020-07-01)
/// </summary>
/// <param name="http">Its base address is the service's, <c>http://169.254.169.254</c> on Azure; without a proxy.</param>
internal sealed class AzureNotices(HttpClient http) : INoticeSource
{
    private const string EventsPath = "/metadata/scheduledevents?api-version=2020-07-01";
    private const string NamePath = "/metadata/instance/compute/name?api-version=2021-02-01&format=text";

    /// <summary>Events that end the machine's processes. A Freeze is a pause of seconds.</summary>
    private static readonly string[] Ending = ["Preempt", "Terminate", "Reboot", "Redeploy"];
    private string? _machine;

    /// <summary>Whether there is such a service; asked once, with short patience.</summary>
    public async Task<bool> IsThereAsync(CancellationToken ct)
    {
        try
        {
            _machine = await GetAsync(NamePath, ct);
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public async Task<DisruptionNotice?> LookAsync(CancellationToken ct)
    {
        try
        {
            using var document = JsonDocument.Parse(await GetAsync(EventsPath, ct));
            return document.RootElement.GetProperty("Events").EnumerateArray().Where(IsForThisMachine).Select(Read).Where(notice => Ending.Contains(notice.Kind)).MinBy(notice => notice.NotBefore ?? DateTimeOffset.MinValue);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            // The service is asked again in a moment.
            return null;
        }
    }

    private bool IsForThisMachine(JsonElement value) =>
        !value.TryGetProperty("Resources", out var resources) || resources.EnumerateArray().Any(resource => string.Equals(resource.GetString(), _machine, StringComparison.OrdinalIgnoreCase));

    /// <summary>NotBefore is a time in the form of RFC 1123, or empty once the event has begun.</summary>
    private static DisruptionNotice Read(JsonElement value) => new(
        "azure",
        value.GetProperty("EventType").GetString() ?? "",
        DateTimeOffset.TryParse(value.TryGetProperty("NotBefore", out var time) ? time.GetString() : null, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null);

    private async Task<string> GetAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Metadata", "true");
        using var response = await http.SendAsync(request, ct);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadAsStringAsync(ct)).Trim();
    }
}

using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Agent.Notices;

/// <summary>Asks the sources of this machine, once a second, until one of them gives a notice.</summary>
internal sealed class NoticeWatch : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const string AzureMetadata = "http://169.254.169.254";
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="get">Environment variables: <see cref="PhiEnvironment.NoticeFile"/>, <see cref="PhiEnvironment.AzureMetadataUrl"/>.</param>
    /// <param name="onNotice">Called once.</param>
    public NoticeWatch(Func<string, string?> get, TimeProvider time, Action<DisruptionNotice> onNotice)
    {
        var url = get(PhiEnvironment.AzureMetadataUrl) is { Length: > 0 } given ? given : AzureMetadata;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = Patience }) { BaseAddress = new Uri(url), Timeout = Patience };
        _loop = Task.Run(() => RunAsync(get(PhiEnvironment.NoticeFile), time, onNotice));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(string? file, TimeProvider time, Action<DisruptionNotice> onNotice)
    {
        var sources = new List<INoticeSource>();
        if (!string.IsNullOrEmpty(file))
        {
            sources.Add(new FileNotices(file));
        }

        var azure = new AzureNotices(_http);
        if (await azure.IsThereAsync(_stop.Token))
        {
            sources.Add(azure);
        }

        using var timer = new PeriodicTimer(Period, time);
        while (sources.Count > 0)
        {
            foreach (var source in sources)
            {
                if (await source.LookAsync(_stop.Token) is { } notice)
                {
                    onNotice(notice);
                    return;
                }
            }

            await timer.WaitForNextTickAsync(_stop.Token);
        }
    }
}

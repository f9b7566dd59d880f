using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Operator.Metrics;
using Prometheus;

namespace Phi.Operator.Health;

/// <summary>
/// What a cluster asks of the operator, on a port of its own: <c>/healthz</c> (its loops get on), <c>/readyz</c> (caches filled, agent
/// API listening) and <c>/metrics</c> (Prometheus' text format). Not for the outside: it is plain HTTP without sign-in.
/// </summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HealthServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="stuck">What does not get on; none is healthy.</param>
    /// <param name="missing">What is still awaited; none is ready.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<HealthServer> StartAsync(IPAddress bind, int port, OperatorMetrics metrics, Func<IReadOnlyList<string>> stuck, Func<IReadOnlyList<string>> missing, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder(ServerHost.Arguments);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(bind, port));
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.MapGet("/healthz", http => AnswerAsync(http, "stuck", stuck()));
        app.MapGet("/readyz", http => AnswerAsync(http, "not ready", missing()));
        app.MapGet("/metrics", async http =>
        {
            http.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
            await metrics.Registry.CollectAndExportAsTextAsync(http.Response.Body, http.RequestAborted);
        });
        await app.StartAsync(ct);
        return new HealthServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private static Task AnswerAsync(HttpContext http, string what, IReadOnlyList<string> problems)
    {
        http.Response.StatusCode = problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return http.Response.WriteAsync(problems.Count == 0 ? "ok\n" : $"{what}: {string.Join(", ", problems)}\n", http.RequestAborted);
    }
}

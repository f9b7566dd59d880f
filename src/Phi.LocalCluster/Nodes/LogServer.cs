using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.LocalCluster.Security;

namespace Phi.LocalCluster.Nodes;

/// <summary>The part of a kubelet's endpoint that <c>kubectl logs</c> needs: /containerLogs/NAMESPACE/POD/CONTAINER.</summary>
internal sealed class LogServer : IAsyncDisposable
{
    private static readonly TimeSpan FollowPeriod = TimeSpan.FromMilliseconds(100);
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;

    /// <summary>The log file of a pod's container and whether it may still grow; null if the pod is not here.</summary>
    public delegate (string Path, bool IsLive)? LogFinder(string @namespace, string pod, string container);

    private LogServer(WebApplication app, X509Certificate2 certificate) => (_app, _certificate) = (app, certificate);

    public int Port { get; private set; }

    public static async Task<LogServer> StartAsync(LogFinder find, string? token, X509Certificate2Collection? authority, string stateDirectory, CancellationToken ct)
    {
        var certificate = ServerCertificate.LoadOrCreate(stateDirectory, "phi-node");
        var builder = WebApplication.CreateSlimBuilder(ServerHost.Arguments);
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseHttps(certificate, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (given, _, _) => IsOfCluster(given, authority);
        })));
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.MapGet("/containerLogs/{ns}/{pod}/{container}", (HttpContext http, string ns, string pod, string container) => ServeAsync(http, find, ns, pod, container, token, app.Lifetime.ApplicationStopping));
        var server = new LogServer(app, certificate);
        await app.StartAsync(ct);
        server.Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private static async Task ServeAsync(HttpContext http, LogFinder find, string ns, string pod, string container, string? token, CancellationToken stopping)
    {
        if (!HasToken(http, token) && http.Connection.ClientCertificate is null)
        {
            http.Response.StatusCode = 401;
            return;
        }

        if (http.Request.Query["previous"] == "true")
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync($"previous terminated container \"{container}\" in pod \"{pod}\" not found", http.RequestAborted);
            return;
        }

        if (find(ns, pod, container) is not { } log || !File.Exists(log.Path))
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync($"container \"{container}\" in pod \"{pod}\" is waiting to start: ContainerCreating", http.RequestAborted);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            await CopyAsync(http, find, log.Path, (ns, pod, container), ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The reader went away, or the node stops.
        }
    }

    private static bool HasToken(HttpContext http, string? token) => token is not null && CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes((string?)http.Request.Headers.Authorization ?? "")), SHA256.HashData(Encoding.UTF8.GetBytes($"Bearer {token}")));

    /// <summary>A client certificate is good if the cluster's authority signed it: so a real API server reaches its kubelets.</summary>
    private static bool IsOfCluster(X509Certificate2 certificate, X509Certificate2Collection? authority)
    {
        if (authority is null)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private static async Task CopyAsync(HttpContext http, LogFinder find, string path, (string Namespace, string Pod, string Container) key, CancellationToken ct)
    {
        var query = http.Request.Query;
        var hasTimestamps = query["timestamps"] == "true";
        var since = int.TryParse(query["sinceSeconds"], CultureInfo.InvariantCulture, out var seconds) ? TimeProvider.System.GetUtcNow().AddSeconds(-seconds)
            : DateTimeOffset.TryParse(query["sinceTime"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : DateTimeOffset.MinValue;
        var limit = long.TryParse(query["limitBytes"], CultureInfo.InvariantCulture, out var bytes) ? bytes : long.MaxValue;
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        if (int.TryParse(query["tailLines"], CultureInfo.InvariantCulture, out var tail))
        {
            await SkipAsync(path, reader, tail, ct);
        }

        while (true)
        {
            // Asked before reading: what is written until the container's end is then surely read.
            var isLive = query["follow"] == "true" && find(key.Namespace, key.Pod, key.Container) is { IsLive: true };
            while (limit > 0 && await reader.ReadLineAsync(ct) is { } line)
            {
                if (ContainerLog.Parse(line) is { } entry && entry.Time >= since)
                {
                    var text = Encoding.UTF8.GetBytes(hasTimestamps ? $"{entry.Stamp} {entry.Text}\n" : $"{entry.Text}\n");
                    var count = (int)Math.Min(limit, text.Length);
                    await http.Response.Body.WriteAsync(text.AsMemory(0, count), ct);
                    limit -= count;
                }
            }

            await http.Response.Body.FlushAsync(ct);
            if (!isLive || limit == 0)
            {
                return;
            }

            await Task.Delay(FollowPeriod, ct);
        }
    }

    private static async Task SkipAsync(string path, StreamReader reader, int tail, CancellationToken ct)
    {
        var lines = 0;
        await foreach (var _ in File.ReadLinesAsync(path, ct))
        {
            lines++;
        }

        for (var skip = lines - tail; skip > 0; skip--)
        {
            await reader.ReadLineAsync(ct);
        }
    }
}

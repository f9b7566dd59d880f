using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Operator.Progress;

namespace Phi.Operator.AgentApi;

/// <summary>The HTTP side of the agent protocol (<see cref="AgentRoutes"/>).</summary>
internal sealed class AgentApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AgentApiServer(WebApplication app) => _app = app;

    /// <param name="onNews">Hears of a job whose ranks changed their state.</param>
    public static async Task<AgentApiServer> StartAsync(Socket listener, AgentHub hub, AgentTokens tokens, ProgressTracker progress, Action<ResourceKey> onNews, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)listener.Handle));
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.MapPost(AgentRoutes.Assignment, async http =>
        {
            if (await ReadAsync<AssignmentRequest>(http, tokens, request => request.JobUid) is { } request)
            {
                await WriteAsync(http, hub.Assign(request), request.Job);
            }
        });
        app.MapPost(AgentRoutes.Heartbeat, async http =>
        {
            if (await ReadAsync<Heartbeat>(http, tokens, heartbeat => heartbeat.JobUid) is { } heartbeat)
            {
                var answer = hub.Beat(heartbeat, out var hasNews);
                if (hasNews)
                {
                    onNews(new ResourceKey(heartbeat.Namespace, heartbeat.Job));
                }

                await WriteAsync(http, answer, heartbeat.Job);
            }
        });
        app.MapPost(AgentRoutes.Events, async http =>
        {
            if (await ReadAsync<EventBatch>(http, tokens, batch => batch.JobUid) is { } batch)
            {
                await progress.AddAsync(batch, http.RequestAborted);
            }
        });
        app.MapProgress(hub.Reports, tokens, progress);
        await app.StartAsync(ct);
        return new AgentApiServer(app);
    }

    /// <summary>
    /// A socket on 127.0.0.1. Agents of running pods know the address, so a restart takes the port that the folder remembers.
    /// </summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Socket Listen(int port, string stateDirectory)
    {
        Directory.CreateDirectory(stateDirectory);
        var kept = Path.Combine(stateDirectory, "agent-api-port");
        if (port == 0 && File.Exists(kept))
        {
            _ = int.TryParse(File.ReadAllText(kept), CultureInfo.InvariantCulture, out port);
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"port {port} of the agent API is taken ({e.Message}). Pods that run know this port: stop what uses it, or delete {kept} and restart the jobs.", e);
        }

        socket.Listen(512);
        File.WriteAllText(kept, ((IPEndPoint)socket.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture));
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    /// <summary>The request's body, if its token is the job's; else null, and the refusal is written.</summary>
    private static async Task<T?> ReadAsync<T>(HttpContext http, AgentTokens tokens, Func<T, string> jobUid)
        where T : class
    {
        T? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync<T>(http.Request.Body, PhiJson.Options, http.RequestAborted);
        }
        catch (JsonException e)
        {
            await RefuseAsync(http, HttpStatusCode.UnprocessableEntity, e.Message);
            return null;
        }

        var header = (string?)http.Request.Headers.Authorization ?? "";
        if (body is null || !header.StartsWith("Bearer ", StringComparison.Ordinal) || !tokens.IsValid(jobUid(body), header["Bearer ".Length..]))
        {
            await RefuseAsync(http, HttpStatusCode.Unauthorized, "the token is not this job's");
            return null;
        }

        return body;
    }

    private static Task WriteAsync<T>(HttpContext http, T? answer, string job)
        where T : class =>
        answer is null ? RefuseAsync(http, HttpStatusCode.NotFound, $"there is no job {job} of that uid") : http.Response.WriteAsJsonAsync(answer, PhiJson.Options, http.RequestAborted);

    private static Task RefuseAsync(HttpContext http, HttpStatusCode code, string why)
    {
        http.Response.StatusCode = (int)code;
        return http.Response.WriteAsync(why, http.RequestAborted);
    }
}

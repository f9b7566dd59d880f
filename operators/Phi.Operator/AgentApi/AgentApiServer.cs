using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.AgentApi.Tls;

namespace Phi.Operator.AgentApi;

/// <summary>The HTTPS side of the agent protocol (<see cref="AgentRoutes"/>).</summary>
internal sealed class AgentApiServer : IAsyncDisposable
{
    /// <summary>Of an assignment's request, which names a pod.</summary>
    private const int MostAskedBytes = 64 << 10;

    /// <summary>Of a heartbeat: a pod's ranks, and what each of them says.</summary>
    private const int MostBeatBytes = 1 << 20;

    /// <summary>Of a batch: an agent's largest has 2,000 events.</summary>
    private const int MostBatchBytes = 8 << 20;

    /// <summary>Two for each of 10,000 pods.</summary>
    private const int MostConnections = 20_000;
    private static readonly TimeSpan HeadersPatience = TimeSpan.FromSeconds(10);

    /// <summary>What must be there must not be null either.</summary>
    private static readonly JsonSerializerOptions Strict = new(PhiJson.Options) { RespectNullableAnnotations = true };
    private readonly WebApplication _app;

    private AgentApiServer(WebApplication app) => _app = app;

    public static async Task<AgentApiServer> StartAsync(Socket listener, AgentApiParts parts, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder(ServerHost.Arguments);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // A body that trickles in is ended by Kestrel's own least rate.
            (kestrel.Limits.MaxConcurrentConnections, kestrel.Limits.RequestHeadersTimeout) = (MostConnections, HeadersPatience);
            kestrel.ListenHandle((ulong)listener.Handle, listen => AgentConnections.Use(listen, parts.Certificate));
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        Map<AssignmentRequest>(app, AgentRoutes.Assignment, MostAskedBytes, parts, request => new AgentClaim(request.Namespace, request.Job, request.JobUid, request.PodUid), (http, request) =>
            WriteAsync(http, parts.Hub.Assign(request, parts.Tokens) is { } answer ? answer with { OperatorUrls = Urls(http, parts) } : null, request.Job));
        Map<Heartbeat>(app, AgentRoutes.Heartbeat, MostBeatBytes, parts, heartbeat => new AgentClaim(heartbeat.Namespace, heartbeat.Job, heartbeat.JobUid, heartbeat.PodUid), (http, heartbeat) =>
        {
            parts.Metrics.Heartbeats.Inc();
            // What the annotations of a type do not say of its lists.
            if (heartbeat.Ranks.ToList().IndexOf(null!) is >= 0 and var index)
            {
                return new Refusal(HttpStatusCode.UnprocessableEntity, new ValidationError($"ranks[{index}]", "null", "must be an object", "leave it out").ToString()).WriteAsync(http);
            }

            var answer = parts.Hub.Beat(heartbeat, out var hasNews);
            if (hasNews)
            {
                parts.OnNews(new ResourceKey(heartbeat.Namespace, heartbeat.Job));
            }

            return WriteAsync(http, answer is null ? null : answer with { OperatorUrls = Urls(http, parts) }, heartbeat.Job);
        });
        MapEvents(app, parts);
        app.MapProgress(parts);
        await app.StartAsync(ct);
        return new AgentApiServer(app);
    }

    /// <summary>A route that only the leader answers; a standby hands the request on to it.</summary>
    private static void Map<T>(WebApplication app, string route, int mostBytes, AgentApiParts parts, Func<T, AgentClaim> claim, Func<HttpContext, T, Task> answer)
        where T : class =>
        app.MapPost(route, async http =>
        {
            if (await ReadAsync(http, mostBytes, parts.Gate, claim) is var (request, body))
            {
                await (parts.Leadership.IsLeading ? answer(http, request) : parts.Forwarder.ForwardAsync(http, body));
            }
        });

    /// <summary>Any replica stores events; the leader must hear of them too, and an agent sends again what it did not.</summary>
    private static void MapEvents(WebApplication app, AgentApiParts parts) => app.MapPost(AgentRoutes.Events, async http =>
    {
        if (await ReadAsync<EventBatch>(http, MostBatchBytes, parts.Gate, batch => new AgentClaim(batch.Namespace, batch.Job, batch.JobUid, PodUid: null)) is not var (batch, body))
        {
            return;
        }

        if (EventBatchValidator.Validate(batch) is { } problem)
        {
            await new Refusal(HttpStatusCode.UnprocessableEntity, problem.ToString()).WriteAsync(http);
            return;
        }

        if (!http.Request.Headers.ContainsKey(AgentRoutes.ForwardedHeader))
        {
            await parts.Progress.StoreAsync(batch, http.RequestAborted);
        }

        if (parts.Leadership.IsLeading)
        {
            parts.Hub.Hear(batch);
            await parts.Progress.AddAsync(batch, http.RequestAborted);
        }
        else if (parts.Forwarder.HasLeader)
        {
            await parts.Forwarder.ForwardAsync(http, body);
        }

        // Without a leader the store is enough: the next one reads it.
    });

    /// <summary>
    /// A listening socket. Agents of running pods know the address, so a restart takes the port that the folder remembers.
    /// </summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Socket Listen(IPAddress bind, int port, string stateDirectory)
    {
        Directory.CreateDirectory(stateDirectory);
        var kept = Path.Combine(stateDirectory, "agent-api-port");
        if (port == 0 && File.Exists(kept))
        {
            _ = int.TryParse(File.ReadAllText(kept), CultureInfo.InvariantCulture, out port);
        }

        var socket = new Socket(bind.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(bind, port));
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

    /// <summary>A pod of before speaks no HTTPS, and other URLs are of no use to it.</summary>
    private static IReadOnlyList<string>? Urls(HttpContext http, AgentApiParts parts) => http.Request.IsHttps ? parts.Urls() : null;

    /// <summary>The request and its body, if its token is a pod's of the job that it names; else null, and the refusal is written.</summary>
    private static async Task<(T Request, byte[] Body)?> ReadAsync<T>(HttpContext http, int mostBytes, AgentGate gate, Func<T, AgentClaim> claim)
        where T : class
    {
        // Who has no good token has no body read.
        if (await gate.IdentifyAsync(http) is not { } caller)
        {
            return null;
        }

        if (await RequestBody.ReadAsync(http, mostBytes, "send less at once") is not { } body)
        {
            return null;
        }

        T? request;
        try
        {
            request = JsonSerializer.Deserialize<T>(body, Strict);
        }
        catch (JsonException e)
        {
            await new Refusal(HttpStatusCode.UnprocessableEntity, e.Message).WriteAsync(http);
            return null;
        }

        if (request is null)
        {
            await new Refusal(HttpStatusCode.UnprocessableEntity, "the body is null; send an object").WriteAsync(http);
            return null;
        }

        return await gate.AdmitAsync(http, caller, claim(request)) ? (request, body) : null;
    }

    private static Task WriteAsync<T>(HttpContext http, T? answer, string job)
        where T : class =>
        answer is null ? new Refusal(HttpStatusCode.NotFound, $"there is no job {job} of that uid").WriteAsync(http) : http.Response.WriteAsJsonAsync(answer, PhiJson.Options, http.RequestAborted);
}

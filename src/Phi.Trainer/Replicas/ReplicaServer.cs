using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Checkpoints;

namespace Phi.Trainer.Replicas;

/// <summary>Of an agent: gives and takes copies of shards (<see cref="ReplicaRoutes"/>). It outlives the ranks, and so do the copies.</summary>
internal sealed class ReplicaServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ReplicaFolder _folder;
    private volatile Term? _term;

    private ReplicaServer(WebApplication app, ReplicaFolder folder) => (_app, _folder) = (app, folder);

    public Uri Address => new(_app.Urls.First());

    /// <param name="root">The pod's memory.</param>
    /// <param name="bind">The pod's address; the port is any free one, which the ranks tell each other.</param>
    public static async Task<ReplicaServer> StartAsync(string root, IPAddress bind)
    {
        var builder = WebApplication.CreateSlimBuilder(ServerHost.Arguments);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(bind, 0);
            // A shard is large, and is written as it comes.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.AllowSynchronousIO = true;
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        var server = new ReplicaServer(app, new ReplicaFolder(root));
        app.Use((http, next) => server.Knows(http) ? next(http) : RefuseAsync(http));
        app.MapGet(ReplicaRoutes.Parts, () => Results.Json(server._folder.Parts(), PhiJson.Options));
        app.MapGet(ReplicaRoutes.File, server.Get);
        app.MapPut(ReplicaRoutes.File, server.Put);
        await app.StartAsync();
        return server;
    }

    /// <summary>
    /// Serves the ranks of an attempt, and from now on those of no other: ranks ask only after all of them have met, so every agent of the
    /// gang has heard of their attempt by then. Nobody is served before the first call.
    /// </summary>
    /// <param name="key">The attempt's (<see cref="Phi.Api.Agent.Assignment.PeerKey"/>). Null: nobody is served.</param>
    public void Serve(int attempt, string? key) => _term = new Term(attempt, key is null ? null : Encoding.UTF8.GetBytes($"Bearer {key}"));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    private bool Knows(HttpContext http) => _term is { Authorization: { } wanted } && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString()), wanted);

    private static Task RefuseAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return http.Response.WriteAsync("the key is not that of the attempt that runs here", http.RequestAborted);
    }

    private IResult Get(string step, string file)
    {
        try
        {
            return ReplicaFolder.IsName($"{step}/{file}") ? Results.File(File.OpenRead(_folder.PathOf($"{step}/{file}")), enableRangeProcessing: true) : Results.NotFound();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or CheckpointException)
        {
            return Results.NotFound();
        }
    }

    private IResult Put(HttpContext http, string step, string file, int attempt)
    {
        if (!ReplicaFolder.IsName($"{step}/{file}"))
        {
            return Results.Text($"'{step}/{file}' is no name of a step's file", statusCode: StatusCodes.Status400BadRequest);
        }

        if (_term!.Attempt is var own && attempt < own)
        {
            return Results.Text(string.Create(CultureInfo.InvariantCulture, $"attempt {own} runs here, and copies of attempt {attempt} are not taken"), statusCode: StatusCodes.Status409Conflict);
        }

        try
        {
            _folder.Write($"{step}/{file}", stream => http.Request.Body.CopyTo(stream), http.RequestAborted);
            return Results.NoContent();
        }
        catch (StorageException e)
        {
            return Results.Text(e.Message, statusCode: StatusCodes.Status507InsufficientStorage);
        }
        catch (CheckpointException e)
        {
            return Results.Text(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }

    private sealed record Term(int Attempt, byte[]? Authorization);
}

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
    private readonly byte[] _authorization;
    private volatile int _attempt;

    private ReplicaServer(WebApplication app, ReplicaFolder folder, string token) => (_app, _folder, _authorization) = (app, folder, Encoding.UTF8.GetBytes($"Bearer {token}"));

    /// <summary>Of this pod's ranks; copies of an older one's are refused.</summary>
    public int Attempt
    {
        get => _attempt;
        set => _attempt = value;
    }

    public Uri Address => new(_app.Urls.First());

    /// <param name="root">The pod's memory.</param>
    /// <param name="bind">The pod's address; the port is any free one, which the ranks tell each other.</param>
    public static async Task<ReplicaServer> StartAsync(string root, IPAddress bind, string token)
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
        var server = new ReplicaServer(app, new ReplicaFolder(root), token);
        app.Use((http, next) => server.Knows(http) ? next(http) : Task.FromResult(http.Response.StatusCode = StatusCodes.Status401Unauthorized));
        app.MapGet(ReplicaRoutes.Parts, () => Results.Json(server._folder.Parts(), PhiJson.Options));
        app.MapGet(ReplicaRoutes.File, server.Get);
        app.MapPut(ReplicaRoutes.File, server.Put);
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    private bool Knows(HttpContext http) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString()), _authorization);

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

        if (attempt < Attempt)
        {
            return Results.Text(string.Create(CultureInfo.InvariantCulture, $"attempt {Attempt} runs here, and copies of attempt {attempt} are not taken"), statusCode: StatusCodes.Status409Conflict);
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
}

using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer.Audit;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Lifecycle;
using Phi.LocalCluster.ApiServer.Priority;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;
using Phi.LocalCluster.Security;

namespace Phi.LocalCluster.ApiServer;

/// <summary>The embedded Kubernetes API server, for one machine: TLS on 127.0.0.1, and a socket of its owner, behind bearer tokens and RBAC.</summary>
public sealed class ApiServerHost : IAsyncDisposable
{
    private static readonly string[] FirstNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ObjectStore _store;
    private readonly ResourceService _service;
    private readonly PodHandler _pods;
    private readonly SigningKey _signingKey;
    private readonly Rbac _rbac;
    private readonly Authenticator _authenticator;
    private readonly ReviewHandler _reviews;
    private readonly TokenRequestHandler _tokenRequests;
    private readonly X509Certificate2 _certificate;
    private readonly AuditLog? _audit;
    private WebApplication? _app;
    private Task _controllers = Task.CompletedTask;

    private ApiServerHost(ApiServerOptions options)
    {
        _store = new ObjectStore(options.DataDirectory);
        _service = new ResourceService(_store, new ResourceCatalog(), TimeProvider.System);
        _pods = new PodHandler(_service, TimeProvider.System, options.AdminToken);
        _certificate = ServerCertificate.LoadOrCreate(options.DataDirectory, "phi-apiserver");
        _signingKey = SigningKey.LoadOrCreate(options.DataDirectory);
        _rbac = new Rbac(_store);
        var tokens = new ServiceAccountTokens(_store, _signingKey, TimeProvider.System);
        _authenticator = new Authenticator(options.AdminToken, tokens, _rbac);
        _reviews = new ReviewHandler(_authenticator, _rbac);
        _tokenRequests = new TokenRequestHandler(_service, tokens, TimeProvider.System);
        _audit = options.AuditLogPath is { } path ? new AuditLog(path, TimeProvider.System) : null;
    }

    public Uri BaseAddress { get; private set; } = new("https://127.0.0.1");

    /// <exception cref="IOException">The port is taken, or the data folder is in use.</exception>
    public static async Task<ApiServerHost> StartAsync(ApiServerOptions options, CancellationToken ct)
    {
        var host = new ApiServerHost(options);
        try
        {
            host.Prepare(options.CrdManifests);
            await host.ListenAsync(options, ct);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        host._controllers = Task.Run(() => Controllers.RunAsync(host._service, options, host._certificate.ExportCertificatePem(), TimeProvider.System, host._stopping.Token), CancellationToken.None);
        if (options.KubeconfigPath is { } path)
        {
            host.WriteKubeconfig(path, UserInfo.Admin.Name, options.AdminToken);
        }

        return host;
    }

    /// <summary>Writes a kubeconfig with which the holder of a token reaches this server; readable by its owner alone.</summary>
    public void WriteKubeconfig(string path, string user, string token) => Kubeconfig.Write(path, BaseAddress, _certificate, user, token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }

        await _controllers.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _pods.Dispose();
        _store.Dispose();
        _certificate.Dispose();
        _signingKey.Dispose();
        _audit?.Dispose();
        _stopping.Dispose();
    }

    private void Prepare(IReadOnlyList<string> definitions)
    {
        foreach (var name in FirstNamespaces)
        {
            Ensure(BuiltInResources.Namespaces, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
        }

        foreach (var priority in PriorityClassRules.BuiltIn)
        {
            Ensure(BuiltInResources.PriorityClasses, priority);
        }

        BuiltInRoles.Ensure(_service);
        foreach (var definition in definitions.SelectMany(ManifestReader.Read).Select(read => JsonNode.Parse(read.ToJsonString())!.AsObject()))
        {
            var key = new ObjectKey("", (string)definition["metadata"]!["name"]!);
            _service.Apply(BuiltInResources.Definitions, key, definition, null, WriteOptions.Server with { Force = true });
        }

        _service.Catalog.Use(_store.List(BuiltInResources.Definitions.Storage).Items);
    }

    private void Ensure(ResourceType type, JsonObject value)
    {
        if (_store.Get(type.Storage, ResourceService.KeyOf(value)) is null)
        {
            // Parsed from text, a number converts to any numeric type; one set by code only to its own.
            _service.Create(type, "", JsonNode.Parse(value.ToJsonString())!.AsObject(), WriteOptions.Server);
        }
    }

    private async Task ListenAsync(ApiServerOptions options, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder(ServerHost.Arguments);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var socket = options.SocketPath is { } wanted && UnixSocket.IsPossible(wanted) ? wanted : null;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, options.Port, listen => listen.UseHttps(_certificate));
            if (socket is not null)
            {
                // One that was killed leaves its socket behind.
                File.Delete(socket);
                kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http1);
            }
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        _app = builder.Build();
        var resources = new ResourceHandler(_service, TimeProvider.System);
        var watches = new WatchHandler(_service, TimeProvider.System, _stopping.Token);
        var discovery = new Discovery(_service.Catalog);
        var documents = new OpenApiDocuments(_service.Catalog);
        _app.Run(async http =>
        {
            if (http.Request.Path.Value is "/healthz" or "/livez" or "/readyz")
            {
                await http.Response.WriteAsync("ok", http.RequestAborted);
                return;
            }

            try
            {
                await HandleAsync(http, resources, watches, discovery, documents);
            }
            catch (ApiException e) when (!http.Response.HasStarted)
            {
                await Replies.WriteAsync(http, e);
            }
            catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
            {
                // The client went away.
            }
            catch (Exception e) when (!http.Response.HasStarted && e is InvalidOperationException or FormatException)
            {
                // A field of another type than the server's own code reads, such as a number for a name.
                await Replies.WriteAsync(http, ApiException.BadRequest($"the object provided has a field of the wrong type: {e.Message}"));
            }
            finally
            {
                _audit?.Ended(http, http.Features.Get<AccessAttributes>());
            }
        });
        await _app.StartAsync(ct);
        if (socket is not null)
        {
            // Also where its folder was there before, and others may look into it.
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First(address => address.StartsWith("https:", StringComparison.Ordinal)));
    }

    private async Task HandleAsync(HttpContext http, ResourceHandler resources, WatchHandler watches, Discovery discovery, OpenApiDocuments documents)
    {
        var path = http.Request.Path.Value!;
        var access = new RequestAccess(_authenticator.Authenticate(http), _rbac);
        http.Features.Set(access);
        var parsed = ApiRequest.Parse(http, _service.Catalog);
        var wanted = parsed is not null ? AccessAttributes.Of(parsed, access.User) : new AccessAttributes(access.User, http.Request.Method.ToLowerInvariant()) { Path = path };
        http.Features.Set(wanted);
        access.Require(wanted);
        if (parsed is { } request)
        {
            if (await _reviews.TryHandleAsync(request, access.User) || await _tokenRequests.TryHandleAsync(request))
            {
                return;
            }

            if (http.Request.Method == "GET" && request.Subresource is null && request.Flag("watch"))
            {
                _audit?.Began(http, wanted);
                await watches.HandleAsync(request);
            }
            else if (!await _pods.TryHandleAsync(request))
            {
                await resources.HandleAsync(request);
            }
        }
        else
        {
            await Replies.WriteAsync(http, discovery.Find(path) ?? documents.Find(path) ?? throw ApiException.NoSuchPath());
        }
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Manifests;
using Phi.LocalCluster.ApiServer.Disruption;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Lifecycle;
using Phi.LocalCluster.ApiServer.NodeHealth;
using Phi.LocalCluster.ApiServer.Priority;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;
using Phi.LocalCluster.Security;

namespace Phi.LocalCluster.ApiServer;

/// <summary>The embedded Kubernetes API server, for one machine: TLS on 127.0.0.1 behind a bearer token.</summary>
public sealed class ApiServerHost : IAsyncDisposable
{
    private static readonly string[] FirstNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ObjectStore _store;
    private readonly ResourceService _service;
    private readonly PodHandler _pods;
    private readonly byte[] _token;
    private readonly X509Certificate2 _certificate;
    private readonly TimeSpan _nodeGracePeriod;
    private WebApplication? _app;
    private Task _controllers = Task.CompletedTask;

    private ApiServerHost(ApiServerOptions options)
    {
        _nodeGracePeriod = options.NodeMonitorGracePeriod;
        _store = new ObjectStore(options.DataDirectory);
        _service = new ResourceService(_store, new ResourceCatalog(), TimeProvider.System);
        _pods = new PodHandler(_service, TimeProvider.System, options.AdminToken);
        _certificate = ServerCertificate.LoadOrCreate(options.DataDirectory, "phi-apiserver");
        _token = SHA256.HashData(Encoding.UTF8.GetBytes(options.AdminToken));
    }

    public Uri BaseAddress { get; private set; } = new("https://127.0.0.1");

    /// <exception cref="IOException">The port is taken, or the data folder is in use.</exception>
    public static async Task<ApiServerHost> StartAsync(ApiServerOptions options, CancellationToken ct)
    {
        var host = new ApiServerHost(options);
        try
        {
            host.Prepare(options.CrdManifests);
            await host.ListenAsync(options.Port, ct);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        host._controllers = Task.Run(() => host.ControlAsync(host._stopping.Token), CancellationToken.None);
        if (options.KubeconfigPath is { } path)
        {
            Kubeconfig.Write(path, host.BaseAddress, host._certificate, options.AdminToken);
        }

        return host;
    }

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

    private Task ControlAsync(CancellationToken ct)
    {
        var disruption = new DisruptionController(_service, TimeProvider.System);
        var nodes = new NodeLifecycle(_service, TimeProvider.System, _nodeGracePeriod);
        return Task.WhenAll(
            new GarbageCollector(_service).RunAsync(ct),
            new ControlLoop(_store, TimeProvider.System, DisruptionController.Watched, disruption.Pass).RunAsync(ct),
            new ControlLoop(_store, TimeProvider.System, NodeLifecycle.Watched, nodes.Pass).RunAsync(ct));
    }

    private async Task ListenAsync(int port, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.UseHttps(_certificate)));
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        _app = builder.Build();
        var resources = new ResourceHandler(_service, TimeProvider.System);
        var watches = new WatchHandler(_service, TimeProvider.System, _stopping.Token);
        var discovery = new Discovery(_service.Catalog);
        var documents = new OpenApiDocuments(_service.Catalog);
        _app.Run(async http =>
        {
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
        });
        await _app.StartAsync(ct);
        BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    private async Task HandleAsync(HttpContext http, ResourceHandler resources, WatchHandler watches, Discovery discovery, OpenApiDocuments documents)
    {
        var path = http.Request.Path.Value!;
        if (path is "/healthz" or "/livez" or "/readyz")
        {
            await http.Response.WriteAsync("ok", http.RequestAborted);
            return;
        }

        Authenticate(http);
        if (ApiRequest.Parse(http, _service.Catalog) is { } request)
        {
            if (http.Request.Method == "GET" && request.Subresource is null && request.Flag("watch"))
            {
                await watches.HandleAsync(request);
            }
            else if (!await _pods.TryHandleAsync(request))
            {
                await resources.HandleAsync(request);
            }
        }
        else if (http.Request.Method == "POST" && path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        {
            // There is one user, and it may do everything.
            await Replies.WriteAsync(http, new JsonObject { ["kind"] = "SelfSubjectAccessReview", ["apiVersion"] = "authorization.k8s.io/v1", ["metadata"] = new JsonObject(), ["spec"] = new JsonObject(), ["status"] = new JsonObject { ["allowed"] = true } }, 201);
        }
        else
        {
            await Replies.WriteAsync(http, discovery.Find(path) ?? documents.Find(path) ?? throw ApiException.NoSuchPath());
        }
    }

    private void Authenticate(HttpContext http)
    {
        var header = (string?)http.Request.Headers.Authorization ?? "";
        var given = header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..] : "";
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _token))
        {
            throw new ApiException(401, "Unauthorized", "Unauthorized");
        }
    }
}

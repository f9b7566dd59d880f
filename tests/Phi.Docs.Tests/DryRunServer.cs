using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.LocalCluster.ApiServer;

namespace Phi.Docs.Tests;

/// <summary>An embedded API server with the definitions, which is asked what it would say of an object.</summary>
public sealed class DryRunServer : IAsyncLifetime
{
    private const string Token = "docs";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi docs ").FullName;
    private ApiServerHost? _host;
    private HttpClient? _http;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiServerHost.StartAsync(
            new ApiServerOptions { DataDirectory = Path.Combine(_folder, "data"), AdminToken = Token, KubeconfigPath = Path.Combine(_folder, "kubeconfig"), CrdManifests = CrdCatalog.All },
            TestContext.Current.CancellationToken);
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (stream, _, _, _) => stream is SslStream { TargetHostName: "127.0.0.1" } } }) { BaseAddress = _host.BaseAddress };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <returns>The object with defaults, or the server's refusal; an unknown field is one.</returns>
    internal async Task<(JsonObject? Accepted, string? Refusal)> AskAsync(JsonObject value, string plural)
    {
        value = value.DeepClone().AsObject();
        var isClusterScoped = plural == "trainingqueues";
        var metadata = (value["metadata"] ??= new JsonObject { ["name"] = "example" }).AsObject();
        metadata["namespace"] = isClusterScoped ? null : "default";
        using var content = new StringContent(value.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http!.PostAsync($"/apis/{value["apiVersion"]}/{(isClusterScoped ? "" : "namespaces/default/")}{plural}?dryRun=All&fieldValidation=Strict", content, TestContext.Current.CancellationToken);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsObject();
        return response.IsSuccessStatusCode ? (answer, null) : (null, (string?)answer["message"]);
    }
}

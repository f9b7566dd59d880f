using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.LocalCluster.ApiServer;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>An embedded API server in a folder of its own, with an HTTP client and the real kubectl.</summary>
public sealed class TestServer : IAsyncLifetime
{
    internal const string Token = "test-token";
    private ApiServerHost? _host;
    private HttpClient? _http;

    public string Folder { get; } = Directory.CreateTempSubdirectory("phi api server ").FullName;

    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");

    public string Socket => Path.Combine(Folder, "api.sock");

    public string AuditLog => Path.Combine(Folder, "logs", "audit.log");

    public HttpClient Http => _http!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiServerHost.StartAsync(
            new ApiServerOptions { DataDirectory = Path.Combine(Folder, "data"), AdminToken = Token, KubeconfigPath = Kubeconfig, SocketPath = Socket, AuditLogPath = AuditLog, CrdManifests = CrdCatalog.All },
            TestContext.Current.CancellationToken);
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (stream, _, _, _) => stream is SslStream { TargetHostName: "127.0.0.1" } } }) { BaseAddress = _host.BaseAddress };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    /// <summary>Stops the server and starts it on the same folder.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Sends JSON and reads JSON, with the status code.</summary>
    public async Task<(int Code, JsonObject Body)> SendAsync(HttpMethod method, string path, string? body = null, string contentType = "application/json", string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsObject());
    }

    /// <summary>Runs kubectl; the exit code and what it printed.</summary>
    public async Task<(int Code, string Output, string Error)> KubectlAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("KUBECTL") ?? "kubectl") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add($"--kubeconfig={Kubeconfig}");
        start.ArgumentList.Add($"--cache-dir={Path.Combine(Folder, "cache")}");
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    private async Task StopAsync()
    {
        _http?.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }
}

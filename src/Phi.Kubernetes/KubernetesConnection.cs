using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;

namespace Phi.Kubernetes;

/// <summary>A connection to one API server: who to talk to and as whom come from the client library, requests are plain HTTP and JSON.</summary>
public sealed class KubernetesConnection : IDisposable
{
    private readonly k8s.Kubernetes _client;
    private readonly HttpClient _http;

    private KubernetesConnection(KubernetesClientConfiguration configuration, string userAgent)
    {
        // Watches stay open as long as the server lets them; each request is bounded by its caller's token.
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        configuration.UserAgent = userAgent;
        _client = new k8s.Kubernetes(configuration);
        _http = _client.HttpClient;
        Token = configuration.AccessToken;
        CertificateAuthority = configuration.SslCaCerts;
    }

    /// <summary>The bearer token, if the connection uses one.</summary>
    public string? Token { get; }

    public System.Security.Cryptography.X509Certificates.X509Certificate2Collection? CertificateAuthority { get; }

    public Uri Server => _client.BaseUri;

    /// <param name="kubeconfig">Path of a kubeconfig; null for the service account of the pod that this runs in.</param>
    /// <exception cref="k8s.Exceptions.KubeConfigException">The file is no kubeconfig.</exception>
    public static KubernetesConnection Open(string? kubeconfig, string userAgent) => new(
        kubeconfig is null ? KubernetesClientConfiguration.InClusterConfig() : KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig),
        userAgent);

    /// <exception cref="KubernetesApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken ct)
    {
        using var response = await RequestAsync(method, path, body, contentType, ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        return (await JsonNode.ParseAsync(stream, cancellationToken: ct))!.AsObject();
    }

    /// <summary>The answer's body as it comes, for watches and logs.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, CancellationToken ct) => await RequestAsync(HttpMethod.Get, path, null, "", ct);

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(_client.BaseUri, path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        if (_client.Credentials is { } credentials)
        {
            await credentials.ProcessHttpRequestAsync(request, ct);
        }

        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw Refusal(response.StatusCode, await response.Content.ReadAsStringAsync(ct));
        }
    }

    internal static KubernetesApiException Refusal(HttpStatusCode code, string text)
    {
        try
        {
            var status = JsonNode.Parse(text);
            return new KubernetesApiException(code, (string?)status?["reason"] ?? code.ToString(), (string?)status?["message"] ?? text);
        }
        catch (JsonException)
        {
            return new KubernetesApiException(code, code.ToString(), text);
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Authentication;
using k8s.Exceptions;

namespace Phi.Kubernetes;

/// <summary>A connection to one API server: who to talk to and as whom come from the client library, requests are plain HTTP and JSON.</summary>
public sealed class KubernetesConnection : IDisposable
{
    /// <summary>Until a request is answered, and until the first byte of a watch or a log.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    private readonly ServiceClientCredentials? _credentials;
    private readonly HttpClient _http;
    private readonly Uri _requests;

    private KubernetesConnection(KubernetesClientConfiguration configuration, UnixSocket? socket, string userAgent, DelegatingHandler[] handlers)
    {
        _credentials = k8s.Kubernetes.CreateCredentials(configuration);
        try
        {
            _http = Transport.Create(configuration, socket, userAgent, handlers);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException($"the certificate or key of {configuration.Host} cannot be used: {e.Message}", e);
        }

        Server = new Uri(configuration.Host.TrimEnd('/') + "/");
        _requests = socket is null ? Server : UnixSocket.Address;
        Token = configuration.AccessToken;
        CertificateAuthority = configuration.SslCaCerts;
    }

    /// <summary>The bearer token, if the connection uses one.</summary>
    public string? Token { get; }

    public System.Security.Cryptography.X509Certificates.X509Certificate2Collection? CertificateAuthority { get; }

    public Uri Server { get; }

    /// <param name="kubeconfig">Path of a kubeconfig; null for the service account of the pod that this runs in.</param>
    /// <param name="handlers">See every request, the last one first.</param>
    /// <exception cref="k8s.Exceptions.KubeConfigException">The file is no kubeconfig.</exception>
    public static KubernetesConnection Open(string? kubeconfig, string userAgent, params DelegatingHandler[] handlers) => new(
        kubeconfig is null ? KubernetesClientConfiguration.InClusterConfig() : Kubeconfig.Read(kubeconfig),
        null,
        userAgent,
        handlers);

    /// <param name="handlers">See every request, the last one first.</param>
    public static KubernetesConnection Open(KubeconfigContext context, string userAgent, params DelegatingHandler[] handlers) => new(context.Configuration, context.Socket, userAgent, handlers);

    /// <exception cref="KubernetesApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, did not answer in time, or answered no JSON.</exception>
    public Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken ct) =>
        SendAsync(method, path, body, contentType, content => JsonNode.Parse(content)!.AsObject(), ct);

    /// <summary>The answer as <paramref name="read"/> reads it from UTF-8.</summary>
    /// <exception cref="KubernetesApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, did not answer in time, or answered something else.</exception>
    internal async Task<T> SendAsync<T>(HttpMethod method, string path, JsonNode? body, string contentType, Func<byte[], T> read, CancellationToken ct)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bound.CancelAfter(RequestTimeout);
        try
        {
            using var response = await RequestAsync(method, path, body, contentType, bound.Token);
            return read(await response.Content.ReadAsByteArrayAsync(bound.Token));
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw TooLate(method, path, e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new HttpRequestException($"the API server's answer to {method} {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The answer's body as it comes, for watches and logs.</summary>
    /// <exception cref="KubernetesApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, or did not begin to answer in time.</exception>
    public async Task<HttpResponseMessage> OpenAsync(string path, CancellationToken ct)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bound.CancelAfter(RequestTimeout);
        try
        {
            return await RequestAsync(HttpMethod.Get, path, null, "", bound.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw TooLate(HttpMethod.Get, path, e);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, JsonNode? body, string contentType, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(_requests, path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        if (_credentials is { } credentials)
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
            throw Refusal(response.StatusCode, await response.Content.ReadAsStringAsync(ct), response.Headers.RetryAfter?.Delta);
        }
    }

    internal static KubernetesApiException Refusal(HttpStatusCode code, string text, TimeSpan? retryAfter = null)
    {
        var (reason, message) = (code.ToString(), text);
        try
        {
            if (JsonNode.Parse(text) is JsonObject status)
            {
                (reason, message) = ((string?)status["reason"] ?? reason, (string?)status["message"] ?? message);
            }
        }
        catch (JsonException)
        {
            // A proxy's page: its text is the message.
        }

        return new KubernetesApiException(code, reason, message) { RetryAfter = retryAfter };
    }

    private static HttpRequestException TooLate(HttpMethod method, string path, Exception cause) =>
        new($"the API server did not answer {method} {path} within {RequestTimeout.TotalSeconds:0} s", cause);
}

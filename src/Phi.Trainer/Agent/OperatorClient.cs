using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Agent;

/// <summary>The operator refused for a reason that no retry mends: the job or the pod is gone, the token is another's, or the request is not valid (422) or too large (413).</summary>
internal sealed class RefusedException(HttpStatusCode code, string text) : Exception($"the operator refused ({(int)code}): {text}")
{
    public HttpStatusCode Code { get; } = code;
}

/// <summary>
/// The operator's agent API, at whichever replica answers: first the one that did last, then the others that an answer named. A call that
/// reaches none throws <see cref="HttpRequestException"/>; the caller tries again.
/// </summary>
internal sealed class OperatorClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>What one replica that is gone may cost while there are others.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(1.5);
    private readonly HttpClient _http;
    private readonly Uri _given;
    private readonly Func<string> _token;
    private readonly Lock _lock = new();
    private List<Uri> _replicas;

    /// <param name="token">The pod's token as it is now.</param>
    /// <param name="authorityFile">With the certificates of the operator's authority.</param>
    public OperatorClient(Uri url, Func<string> token, string authorityFile)
    {
        (_given, _replicas, _token) = (url, [url], token);
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout, PooledConnectionLifetime = TimeSpan.FromMinutes(1), SslOptions = new AuthorityTrust(() => File.ReadAllText(authorityFile), url.IdnHost).Options() }) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    public async Task<AssignmentResponse> AskAsync(AssignmentRequest request, CancellationToken ct)
    {
        var answer = await PostAsync<AssignmentRequest, AssignmentResponse>(AgentRoutes.Assignment, request, ct);
        Learn(answer.OperatorUrls);
        return answer;
    }

    public async Task<HeartbeatResponse> BeatAsync(Heartbeat heartbeat, CancellationToken ct)
    {
        var answer = await PostAsync<Heartbeat, HeartbeatResponse>(AgentRoutes.Heartbeat, heartbeat, ct);
        Learn(answer.OperatorUrls);
        return answer;
    }

    public async Task ReportAsync(EventBatch batch, CancellationToken ct)
    {
        using var response = await SendAsync(AgentRoutes.Events, batch, isShort: false, ct);
    }

    public void Dispose() => _http.Dispose();

    private async Task<TResponse> PostAsync<TRequest, TResponse>(string route, TRequest request, CancellationToken ct)
    {
        using var response = await SendAsync(route, request, isShort: true, ct);
        return (await response.Content.ReadFromJsonAsync<TResponse>(PhiJson.Options, ct))!;
    }

    /// <summary>Asks one replica after the other; the first that answers is the first to be asked the next time.</summary>
    private async Task<HttpResponseMessage> SendAsync<TRequest>(string route, TRequest request, bool isShort, CancellationToken ct)
    {
        List<Uri> replicas;
        lock (_lock)
        {
            replicas = _replicas;
        }

        HttpRequestException? problem = null;
        foreach (var replica in replicas)
        {
            try
            {
                var response = await TryAsync(replica, route, request, isShort && replicas.Count > 1 ? ShortTimeout : Timeout, ct);
                Prefer(replica);
                return response;
            }
            catch (HttpRequestException e)
            {
                problem = problem is null ? e : new HttpRequestException($"{problem.Message}; {e.Message}", e);
            }
        }

        throw problem!;
    }

    private async Task<HttpResponseMessage> TryAsync<TRequest>(Uri replica, string route, TRequest request, TimeSpan patience, CancellationToken ct)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bound.CancelAfter(patience);
        HttpResponseMessage response;
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(replica, route)) { Content = JsonContent.Create(request, options: PhiJson.Options) };
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token());
            response = await _http.SendAsync(message, bound.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"the operator at {replica} did not answer within {patience.TotalSeconds} s", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(ct);
            // Not 401: a token that is not good now is renewed by the pod's node, and read again.
            throw response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge
                ? new RefusedException(response.StatusCode, text)
                : new HttpRequestException($"the operator at {replica} answered {(int)response.StatusCode}: {text}");
        }
    }

    private void Prefer(Uri replica)
    {
        lock (_lock)
        {
            if (_replicas[0] != replica && _replicas.Contains(replica))
            {
                _replicas = [replica, .. _replicas.Where(other => other != replica)];
            }
        }
    }

    /// <summary>Keeps the one that works in front, and the one that the pod was given in the list for good.</summary>
    private void Learn(IReadOnlyList<string>? urls)
    {
        if (urls is null)
        {
            return;
        }

        lock (_lock)
        {
            var named = urls.Select(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri : null).OfType<Uri>();
            _replicas = [.. new[] { _replicas[0] }.Concat(named).Append(_given).Distinct()];
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Agent;

/// <summary>The operator refused for a reason that no retry mends: the job is gone, or the token is not its.</summary>
internal sealed class RefusedException(HttpStatusCode code, string text) : Exception($"the operator refused ({(int)code}): {text}");

/// <summary>The operator's agent API. A call that cannot reach it throws <see cref="HttpRequestException"/>; the caller tries again.</summary>
internal sealed class OperatorClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly HttpClient _http;

    public OperatorClient(Uri url, string token)
    {
        _http = new HttpClient { BaseAddress = url, Timeout = Timeout };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Task<AssignmentResponse> AskAsync(AssignmentRequest request, CancellationToken ct) => PostAsync<AssignmentRequest, AssignmentResponse>(AgentRoutes.Assignment, request, ct);

    public Task<HeartbeatResponse> BeatAsync(Heartbeat heartbeat, CancellationToken ct) => PostAsync<Heartbeat, HeartbeatResponse>(AgentRoutes.Heartbeat, heartbeat, ct);

    public async Task ReportAsync(EventBatch batch, CancellationToken ct)
    {
        using var response = await SendAsync(AgentRoutes.Events, batch, ct);
    }

    public void Dispose() => _http.Dispose();

    private async Task<TResponse> PostAsync<TRequest, TResponse>(string route, TRequest request, CancellationToken ct)
    {
        using var response = await SendAsync(route, request, ct);
        return (await response.Content.ReadFromJsonAsync<TResponse>(PhiJson.Options, ct))!;
    }

    private async Task<HttpResponseMessage> SendAsync<TRequest>(string route, TRequest request, CancellationToken ct)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.PostAsJsonAsync(route, request, PhiJson.Options, ct);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"the operator did not answer within {Timeout.TotalSeconds} s", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(ct);
            throw response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity
                ? new RefusedException(response.StatusCode, text)
                : new HttpRequestException($"the operator answered {(int)response.StatusCode}: {text}");
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Phi.Api.Agent;
using Phi.Operator.AgentApi.Identity;

namespace Phi.Operator.AgentApi;

/// <summary>Hands an agent's request on to the replica that leads, and its answer back. Never twice: a request that was handed on here is answered here.</summary>
/// <param name="leaderUrl">Base URL of the leader's agent API; null while another replica does not lead, or is not known to.</param>
/// <param name="identity">This replica's.</param>
/// <param name="trust">By which the leader is known.</param>
internal sealed class LeaderForwarder(Func<string?> leaderUrl, string identity, AuthorityTrust trust) : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout, PooledConnectionLifetime = TimeSpan.FromMinutes(1), SslOptions = trust.Options() }) { Timeout = TimeSpan.FromSeconds(8) };

    public bool HasLeader => leaderUrl() is not null;

    public void Dispose() => _http.Dispose();

    public async Task ForwardAsync(HttpContext http, byte[] body)
    {
        if (http.Request.Headers.ContainsKey(AgentRoutes.ForwardedHeader) || leaderUrl() is not { } url)
        {
            await new Refusal(HttpStatusCode.ServiceUnavailable, $"the operator's replica {identity} does not lead, and knows no other that does; ask again").WriteAsync(http);
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(url), $"{http.Request.Path.Value}{http.Request.QueryString}")) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("Authorization", (string?)http.Request.Headers.Authorization);
        request.Headers.Add(AgentRoutes.ForwardedHeader, identity);
        try
        {
            using var answer = await _http.SendAsync(request, http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await answer.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested && !http.Response.HasStarted && e is HttpRequestException or OperationCanceledException)
        {
            await new Refusal(HttpStatusCode.ServiceUnavailable, $"the operator's leader at {url} did not answer ({e.Message}); ask again").WriteAsync(http);
        }
    }
}

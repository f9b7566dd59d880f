using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Phi.Kubernetes;

namespace Phi.Dashboard.Api;

/// <summary><c>GET /api/v1/logs/NAMESPACE/POD</c>: a pod's log as it comes, from the Kubernetes API.</summary>
internal static class LogEndpoints
{
    private const int MostLines = 100_000;
    private const int DefaultLines = 1000;
    private const int BufferBytes = 16 * 1024;

    public static void MapLogs(this IEndpointRouteBuilder routes, KubernetesConnection connection) => routes.MapGet(
            "/api/v1/logs/{namespace}/{pod}",
            async (
                [Description("The pod's namespace.")] string @namespace,
                [Description("The pod's name.")] string pod,
                [Description("Its container. Default: the first.")] string? container,
                [Description("Lines before the present, from 0 to 100000. Default: 1000.")] string? tail,
                [Description("true: further lines as they come.")] string? follow,
                HttpContext http,
                CancellationToken ct) => await AnswerAsync(connection, new LogRequest(@namespace, pod, container, tail, follow), http, ct))
        .WithName("logs").WithSummary("A pod's log").Produces(200, contentType: "text/plain").ProducesProblem(400).ProducesProblem(404);

    private static async Task<IResult> AnswerAsync(KubernetesConnection connection, LogRequest request, HttpContext http, CancellationToken ct)
    {
        if (!NameRule.IsName(request.Namespace) || !NameRule.IsName(request.Pod) || (request.Container is { Length: > 0 } container && !NameRule.IsName(container)))
        {
            return Results.Problem("namespace, pod and container must be names of Kubernetes: lower-case letters, digits, dots and hyphens", statusCode: 400, title: "Bad request");
        }

        var lines = DefaultLines;
        if (request.Tail is { Length: > 0 } tail && !(int.TryParse(tail, NumberStyles.None, CultureInfo.InvariantCulture, out lines) && lines <= MostLines))
        {
            return Results.Problem($"tail must be a whole number from 0 to {MostLines}; leave it out for {DefaultLines}", statusCode: 400, title: "Bad request");
        }

        if (request.Follow is not (null or "" or "true" or "false"))
        {
            return Results.Problem("follow must be true or false", statusCode: 400, title: "Bad request");
        }

        var query = string.Create(CultureInfo.InvariantCulture, $"tailLines={lines}{(request.Follow == "true" ? "&follow=true" : "")}{(request.Container is { Length: > 0 } name ? $"&container={name}" : "")}");
        try
        {
            using var log = await connection.OpenAsync($"/api/v1/namespaces/{request.Namespace}/pods/{request.Pod}/log?{query}", ct);
            http.Response.ContentType = "text/plain; charset=utf-8";
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await using var content = await log.Content.ReadAsStreamAsync(ct);
            await content.CopyToAsync(http.Response.Body, BufferBytes, ct);
            return Results.Empty;
        }
        catch (KubernetesApiException e)
        {
            return Results.Problem(e.Message, statusCode: (int)e.Code is >= 400 and < 500 ? (int)e.Code : 502, title: e.Reason);
        }
        catch (Exception e) when (e is HttpRequestException or IOException && !http.Response.HasStarted)
        {
            return Results.Problem($"the Kubernetes API does not answer: {e.Message}", statusCode: 502, title: "Bad gateway");
        }
    }

    private sealed record LogRequest(string Namespace, string Pod, string? Container, string? Tail, string? Follow);
}

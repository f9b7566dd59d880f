using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Phi.Api.Agent;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.Progress;

namespace Phi.Operator.AgentApi;

/// <summary>The one line that a container's program needs: POST its progress to the URL that it was given, with its token.</summary>
internal static class ProgressRoute
{
    private const int MostBytes = 64 << 10;

    public static void MapProgress(this IEndpointRouteBuilder app, AgentApiParts parts) => app.MapPost(AgentRoutes.Progress, async http =>
    {
        if (await parts.Gate.IdentifyAsync(http) is not { } caller)
        {
            return;
        }

        if (ProgressAddress.Read(http.Request.Query, out var problem) is not { } from)
        {
            await RefuseAsync(http, HttpStatusCode.UnprocessableEntity, problem);
        }
        else if (!await parts.Gate.AdmitAsync(http, caller, new AgentClaim(from.Namespace, from.Job, from.JobUid, PodUid: null)))
        {
            // It is said why.
        }
        else if (await BodyAsync(http) is not { } body)
        {
            await RefuseAsync(http, HttpStatusCode.RequestEntityTooLarge, $"the body is larger than {MostBytes} bytes; report numbers alone");
        }
        else if (ProgressReader.Read(body, out problem) is not { } progress)
        {
            await RefuseAsync(http, HttpStatusCode.UnprocessableEntity, problem);
        }
        else
        {
            await (parts.Leadership.IsLeading ? TakeAsync(http, parts, from, progress) : parts.Forwarder.ForwardAsync(http, body));
        }
    });

    private static async Task TakeAsync(HttpContext http, AgentApiParts parts, ProgressAddress from, ContainerProgress progress)
    {
        var step = parts.Hub.Reports.Add(from, progress);
        var batch = new EventBatch
        {
            Namespace = from.Namespace,
            Job = from.Job,
            JobUid = from.JobUid,
            Attempt = from.Attempt,
            Steps = [step],
            Checkpoints = progress.Checkpoint is { } uri ? [new CheckpointEvent { Step = step.Step, Time = step.Time, Uri = uri }] : [],
        };
        if (EventBatchValidator.Validate(batch) is { } problem)
        {
            await RefuseAsync(http, HttpStatusCode.UnprocessableEntity, problem.ToString());
            return;
        }

        await parts.Progress.StoreAsync(batch, http.RequestAborted);
        await parts.Progress.AddAsync(batch, http.RequestAborted);
        http.Response.StatusCode = (int)HttpStatusCode.NoContent;
    }

    private static async Task<byte[]?> BodyAsync(HttpContext http)
    {
        var buffer = new byte[MostBytes + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length > MostBytes ? null : buffer[..length];
    }

    private static Task RefuseAsync(HttpContext http, HttpStatusCode code, string why)
    {
        http.Response.StatusCode = (int)code;
        return http.Response.WriteAsync(why, http.RequestAborted);
    }
}

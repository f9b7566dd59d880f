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
            await new Refusal(HttpStatusCode.UnprocessableEntity, problem).WriteAsync(http);
        }
        else if (!await parts.Gate.AdmitAsync(http, caller, new AgentClaim(from.Namespace, from.Job, from.JobUid, PodUid: null)))
        {
            // It is said why.
        }
        else if (await RequestBody.ReadAsync(http, MostBytes, "report numbers alone") is not { } body)
        {
            // It is said why.
        }
        else if (ProgressReader.Read(body, out problem) is not { } progress)
        {
            await new Refusal(HttpStatusCode.UnprocessableEntity, problem).WriteAsync(http);
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
            await new Refusal(HttpStatusCode.UnprocessableEntity, problem.ToString()).WriteAsync(http);
            return;
        }

        await parts.Progress.StoreAsync(batch, http.RequestAborted);
        await parts.Progress.AddAsync(batch, http.RequestAborted);
        http.Response.StatusCode = (int)HttpStatusCode.NoContent;
    }
}

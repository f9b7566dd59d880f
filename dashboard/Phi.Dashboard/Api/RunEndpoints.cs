using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Api;

/// <summary><c>GET /api/v1/runs…</c>: what is stored of which run.</summary>
internal static class RunEndpoints
{
    private const int MostRuns = 1000;
    private const int MostLength = 300;
    private const int TrafficSteps = 20;

    public static void MapRuns(this IEndpointRouteBuilder routes, TelemetryStore store)
    {
        var runs = routes.MapGroup("/api/v1/runs").AddEndpointFilter(async (context, next) => context.Arguments.OfType<string>().Any(text => text.Length > MostLength || text.Any(char.IsControl))
            ? TypedResults.Problem($"names and uids have at most {MostLength} characters, and none of them is a control character", statusCode: 400, title: "Bad request")
            : await next(context));
        runs.MapGet("/", async ([Description("Of this namespace alone.")] string? @namespace, [Description("Of this job alone.")] string? job, CancellationToken ct) =>
                TypedResults.Ok(await store.RunsAsync(@namespace, job, MostRuns, ct)))
            .WithName("runs").WithSummary("Runs that have stored anything").WithDescription($"By namespace and job; at most {MostRuns}.");
        runs.MapGet("/{run}", async Task<Results<Ok<RunDetail>, NotFound<ProblemDetails>>> ([Description("The job's uid.")] string run, CancellationToken ct) =>
                await store.RunAsync(run, ct) is { } found ? TypedResults.Ok(found) : Missing(run))
            .WithName("run").WithSummary("A run's attempts and metrics");
        runs.MapGet("/{run}/checkpoints", async Task<Results<Ok<IReadOnlyList<CheckpointRecord>>, NotFound<ProblemDetails>>> ([Description("The job's uid.")] string run, CancellationToken ct) =>
                await store.CheckpointsAsync(run, ct) is var checkpoints && checkpoints.Count == 0 && await store.RunAsync(run, ct) is null ? Missing(run) : TypedResults.Ok(checkpoints))
            .WithName("checkpoints").WithSummary("A run's committed checkpoints, newest first").WithDescription("Retention may have removed the files of older ones.");
        runs.MapGet("/{run}/goodput", async Task<Results<Ok<IReadOnlyList<AttemptGoodput>>, NotFound<ProblemDetails>>> ([Description("The job's uid.")] string run, CancellationToken ct) =>
                await store.Goodput.ReadAsync(run, ct) is var attempts && attempts.Count == 0 && await store.RunAsync(run, ct) is null ? Missing(run) : TypedResults.Ok(attempts))
            .WithName("goodput").WithSummary("What the time of a run's attempts went to, by attempt").WithDescription("Some seconds behind a run that trains; what is there stays when the job is deleted.");
        runs.MapGet("/{run}/traffic", async Task<Results<Ok<TrafficData>, NotFound<ProblemDetails>>> ([Description("The job's uid.")] string run, CancellationToken ct) =>
                await store.TrafficAsync(run, TrafficSteps, ct) is { } traffic ? TypedResults.Ok(traffic) : Missing(run))
            .WithName("traffic").WithSummary("What the ranks of a run's newest attempt send, by collective").WithDescription($"The mean of the newest {TrafficSteps} steps.");
    }

    private static NotFound<ProblemDetails> Missing(string run) => TypedResults.NotFound(new ProblemDetails
    {
        Status = 404,
        Title = "Not found",
        Detail = $"nothing of this kind is stored of a run '{(run.Length <= 64 ? run : run[..64] + "…")}'; give the uid of a job that has trained (GET /api/v1/runs lists them)",
    });
}

using Microsoft.Extensions.Logging;
using k8s.Models;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Controllers;
using Phi.Operator.Health;
using Phi.Operator.Metrics;

namespace Phi.Operator;

/// <summary>
/// Runs the operator. Every replica keeps its caches warm, answers agents and tells how it is; the controllers run on the one that leads.
/// </summary>
public static partial class OperatorHost
{
    private static readonly TimeSpan FirstContactRetry = TimeSpan.FromSeconds(1);

    /// <summary>Runs until cancelled. What it stops at, the next start goes on from.</summary>
    /// <exception cref="OperatorOptionException">A setting is wrong.</exception>
    /// <exception cref="IOException">A port is taken.</exception>
    public static Task RunAsync(OperatorOptions options, ILoggerFactory logs, CancellationToken ct) => RunAsync(options, new OperatorSeams(), logs, ct);

    internal static async Task RunAsync(OperatorOptions options, OperatorSeams seams, ILoggerFactory logs, CancellationToken ct)
    {
        var logger = logs.CreateLogger("Phi.Operator.OperatorHost");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        List<Task> loops = [];
        await using var parts = await OperatorParts.CreateAsync(options, seams, logs, ct);
        try
        {
            var isListening = false;
            JobController? jobs = null;
            await using var health = options.HealthPort is not { } port ? null : await HealthServer.StartAsync(
                options.BindAddress, port, parts.Metrics, () => Stuck(parts, jobs), () => Missing(parts, isListening), ct);
            if (health is not null)
            {
                LogHealth(logger, health.Address);
                seams.OnHealth?.Invoke(health.Address);
            }

            var tokens = await TokensAsync(parts, options.StateDirectory, seams.Time, logger, stop.Token);
            jobs = parts.Jobs(seams.Time, logger);
            StateMetrics.Register(parts.Metrics, parts.Cluster, parts.Hub, parts.Leadership, parts.Informers);
            loops.Add(parts.Cluster.RunAsync(key => parts.OnJob(jobs, key), pod => parts.Hub.Forget(pod.Uid()), stop.Token));
            if (parts.Replicas is { } replicas)
            {
                loops.Add(replicas.RunAsync(stop.Token));
            }

            await await Task.WhenAny([parts.Cluster.Synced, .. loops]);
            await using var server = await AgentApiServer.StartAsync(parts.Listener, parts.AgentApi(tokens, jobs), ct);
            isListening = true;
            LogStarted(logger, parts.Identity.AgentUrl);
            loops.Add(LeadAsync(parts, parts.Controllers(jobs), stop.Token));
            await await Task.WhenAny(loops);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The end that was asked for.
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static Task LeadAsync(OperatorParts parts, IReadOnlyList<IController> controllers, CancellationToken ct)
    {
        return parts.Elector is { } elector ? elector.RunAsync(LeadOnceAsync, ct) : LeadOnceAsync(ct);

        async Task LeadOnceAsync(CancellationToken term)
        {
            parts.Hub.Listen();
            await parts.CatchUpAsync(term);
            await ControllerSet.RunAsync(controllers, term);
        }
    }

    /// <summary>An API server that is not there yet is waited for, as the informers do.</summary>
    private static async Task<AgentTokens> TokensAsync(OperatorParts parts, string stateDirectory, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return await parts.TokensAsync(stateDirectory, ct);
            }
            catch (Exception e) when (e is HttpRequestException or KubernetesApiException)
            {
                LogNoTokens(logger, e.Message, FirstContactRetry.TotalSeconds);
                await Task.Delay(FirstContactRetry, time, ct);
            }
        }
    }

    private static List<string> Stuck(OperatorParts parts, JobController? jobs) =>
    [
        .. parts.Informers.Where(informer => informer.IsStuck).Select(informer => $"the watch of {informer.Resource}"),
        .. (jobs?.Pulses ?? []).Where(pulse => pulse.IsStuck).Select(pulse => pulse.Name),
    ];

    private static List<string> Missing(OperatorParts parts, bool isListening) =>
    [
        .. parts.Informers.Where(informer => !informer.Synced.IsCompletedSuccessfully).Select(informer => $"the cache of {informer.Resource}"),
        .. isListening ? Array.Empty<string>() : ["the agent API"],
    ];

    [LoggerMessage(1, LogLevel.Information, "The operator runs; its agent API is at {Url}.")]
    private static partial void LogStarted(ILogger logger, string url);

    [LoggerMessage(3, LogLevel.Information, "Health and metrics are at {Address}.")]
    private static partial void LogHealth(ILogger logger, Uri address);

    [LoggerMessage(4, LogLevel.Warning, "The agents' token secret could not be read or made: {Problem}. Trying again in {Seconds} s.")]
    private static partial void LogNoTokens(ILogger logger, string problem, double seconds);
}

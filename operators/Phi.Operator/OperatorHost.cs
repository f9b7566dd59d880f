using Microsoft.Extensions.Logging;
using k8s.Models;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.AgentApi.Tls;
using Phi.Operator.Controllers;
using Phi.Operator.Health;
using Phi.Operator.Metrics;

namespace Phi.Operator;

/// <summary>
/// Runs the operator. Every replica keeps its caches warm, answers agents and tells how it is; the controllers run on the one that leads.
/// </summary>
public static partial class OperatorHost
{
    /// <summary>Pods keep the authority that they were given: there must be time for every job that runs to end.</summary>
    private static readonly TimeSpan AuthorityWarning = TimeSpan.FromDays(365);
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

            using var secrets = await SecretsAsync(parts, options, seams.Time, logger, stop.Token);
            jobs = parts.Jobs(secrets.Certificate, seams.Time, logger);
            StateMetrics.Register(parts.Metrics, parts.Cluster, parts.Hub, parts.Leadership, parts.Informers);
            loops.Add(parts.Cluster.RunAsync(key => parts.OnJob(jobs, key), pod => parts.Hub.Forget(pod.Uid()), stop.Token));
            if (parts.Replicas is { } replicas)
            {
                loops.Add(replicas.RunAsync(stop.Token));
            }

            await await Task.WhenAny([parts.Cluster.Synced, .. loops]);
            await using var server = await AgentApiServer.StartAsync(parts.Listener, parts.AgentApi(secrets, jobs), ct);
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
    private static async Task<AgentSecrets> SecretsAsync(OperatorParts parts, OperatorOptions options, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var secrets = await parts.SecretsAsync(options, time, logger, ct);
                if (secrets.Certificate is IssuedCertificate { AuthorityEnd: var end } && end - time.GetUtcNow() < AuthorityWarning)
                {
                    LogAuthorityEnds(logger, end, AuthorityStore.SharedName);
                }

                return secrets;
            }
            catch (Exception e) when (e is HttpRequestException or KubernetesApiException)
            {
                LogNoSecrets(logger, e.Message, FirstContactRetry.TotalSeconds);
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

    [LoggerMessage(4, LogLevel.Warning, "The agent API's secrets could not be read or made: {Problem}. Trying again in {Seconds} s.")]
    private static partial void LogNoSecrets(ILogger logger, string problem, double seconds);

    [LoggerMessage(5, LogLevel.Warning, "The authority of the agent API's certificates ends at {End}. When few jobs run, delete the Secret {Secret} (or agent-ca.pem of the state folder) and restart all replicas: a new one is made, and jobs that run then restart.")]
    private static partial void LogAuthorityEnds(ILogger logger, DateTimeOffset end, string secret);
}

using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.Operator.Leader;

/// <summary>
/// Leads while this replica holds the lease (client-go, tools/leaderelection). Others' clocks are never trusted: a lease is free when
/// this replica itself saw no renewal for its duration. Work that outlives a lost lease ends the process.
/// </summary>
internal sealed partial class LeaderElector(KubernetesConnection connection, LeaseOptions options, Leadership leadership, TimeProvider time, ILogger logger)
{
    private readonly LeaseStore _store = new(connection, options, time);
    private (string? Holder, DateTime? Renewed, long SeenAt) _seen;
    private string? _problem;

    /// <summary>Who was last seen to hold the lease; null: nobody.</summary>
    public string? Holder => leadership.IsLeading ? options.Identity : _seen.Holder is { Length: > 0 } holder && holder != options.Identity ? holder : null;

    /// <summary>Runs <paramref name="lead"/> whenever this replica leads; its token ends with the leadership. Ends when cancelled, or when the work does.</summary>
    /// <exception cref="InvalidOperationException">The work did not stop in time after the lease was lost: the process must end.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken ct)
    {
        while (true)
        {
            while (!await TryHoldAsync(options.RenewDeadline, ct))
            {
                await Task.Delay(options.RetryPeriod * (1 + 0.2 * Random.Shared.NextDouble()), time, ct);
            }

            LogLeads(logger, options.Identity);
            await LeadAsync(lead, ct);
            LogLost(logger, options.Identity, Holder ?? "nobody");
        }
    }

    private async Task LeadAsync(Func<CancellationToken, Task> lead, CancellationToken ct)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var work = lead(term.Token);
        var renewal = RenewAsync(term.Token);
        await Task.WhenAny(work, renewal);
        var isLost = !leadership.IsLeading;
        await term.CancelAsync();
        await renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StopAsync(work);
        leadership.End();
        if (!isLost && options.ReleasesOnStop)
        {
            await ReleaseAsync();
        }

        ct.ThrowIfCancellationRequested();
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
            // The end of the term, and no fault of the work.
        }
    }

    /// <summary>Returns when the lease is lost.</summary>
    private async Task RenewAsync(CancellationToken ct)
    {
        while (leadership.IsLeading)
        {
            await Task.Delay(leadership.Remaining < options.RetryPeriod ? leadership.Remaining : options.RetryPeriod, time, ct);
            await TryHoldAsync(leadership.Remaining, ct);
        }
    }

    /// <summary>Takes or renews the lease; false if it is another's, or cannot be written.</summary>
    private async Task<bool> TryHoldAsync(TimeSpan patience, CancellationToken ct)
    {
        if (patience <= TimeSpan.Zero)
        {
            return false;
        }

        using var bound = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, bound.Token);
        var started = time.GetTimestamp();
        try
        {
            if (await _store.ReadAsync(either.Token) is not { } lease)
            {
                await _store.CreateAsync(either.Token);
            }
            else if (IsFree(lease))
            {
                await _store.TakeAsync(lease, either.Token);
            }
            else
            {
                leadership.End();
                return false;
            }

            leadership.Extend(started, options.RenewDeadline);
            _problem = null;
            return true;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            if (e is not KubernetesApiException { IsConflict: true } && e.Message != _problem)
            {
                LogTrouble(logger, options.Namespace, options.Name, _problem = e.Message);
            }

            return false;
        }
    }

    private bool IsFree(V1Lease lease)
    {
        var (holder, renewed) = (lease.Spec?.HolderIdentity, lease.Spec?.RenewTime);
        if (holder != _seen.Holder || renewed != _seen.Renewed || _seen.SeenAt == 0)
        {
            _seen = (holder, renewed, time.GetTimestamp());
        }

        return string.IsNullOrEmpty(holder) || holder == options.Identity || time.GetElapsedTime(_seen.SeenAt) >= TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? 0);
    }

    /// <summary>The fence is closed by then; what still runs could only read. Yet a process whose work does not stop is not to be trusted.</summary>
    private async Task StopAsync(Task work)
    {
        var patience = options.Duration - options.RenewDeadline;
        if (await Task.WhenAny(work, Task.Delay(patience, time)) != work)
        {
            throw new InvalidOperationException($"the operator's work did not stop within {patience.TotalSeconds:0} s after it lost the lease {options.Namespace}/{options.Name}; the process ends so that nothing of it goes on");
        }
    }

    private async Task ReleaseAsync()
    {
        using var bound = new CancellationTokenSource(options.RetryPeriod, time);
        try
        {
            if (await _store.ReadAsync(bound.Token) is { } lease && lease.Spec?.HolderIdentity == options.Identity)
            {
                await _store.ReleaseAsync(lease, bound.Token);
            }
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException or OperationCanceledException)
        {
            // It expires by itself.
            LogTrouble(logger, options.Namespace, options.Name, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Identity} leads.")]
    private static partial void LogLeads(ILogger logger, string identity);

    [LoggerMessage(2, LogLevel.Warning, "{Identity} no longer leads; the lease is held by {Holder}.")]
    private static partial void LogLost(ILogger logger, string identity, string holder);

    [LoggerMessage(3, LogLevel.Warning, "The lease {Namespace}/{Name} could not be read or written: {Problem}")]
    private static partial void LogTrouble(ILogger logger, string @namespace, string name, string problem);
}

using System.Net;
using System.Threading.RateLimiting;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>Token buckets of each replica: of a pod's calls, and of the reviews that unknown tokens from one address cost the API server.</summary>
/// <param name="Burst">Calls at once. An agent beats once a second and sends its events in batches.</param>
/// <param name="PerPeriod">Calls for long.</param>
/// <param name="ReviewBurst">Reviews at once: a standby hands on the requests of a large cluster's pods, all started together.</param>
/// <param name="ReviewsPerPeriod">Reviews for long.</param>
internal sealed record CallLimitOptions(int Burst = 250, int PerPeriod = 50, int ReviewBurst = 2000, int ReviewsPerPeriod = 100)
{
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>Keeps one pod, or somebody without a token that is good, from taking the agent API away from all others.</summary>
internal sealed class CallLimits : IDisposable
{
    private readonly CallLimitOptions _options;
    private readonly PartitionedRateLimiter<string> _calls;
    private readonly PartitionedRateLimiter<string> _reviews;

    public CallLimits(CallLimitOptions options) =>
        (_options, _calls, _reviews) = (options, Buckets(options.Burst, options.PerPeriod, options.Period), Buckets(options.ReviewBurst, options.ReviewsPerPeriod, options.Period));

    /// <param name="caller">The pod's uid, or the address of one that has none.</param>
    /// <returns>Null: it may.</returns>
    public Refusal? Call(string caller)
    {
        using var lease = _calls.AttemptAcquire(caller);
        return lease.IsAcquired
            ? null
            : new Refusal(HttpStatusCode.TooManyRequests, $"more than {_options.PerPeriod} requests in {_options.Period.TotalSeconds:0} s by one pod; ask less often, and report several steps at once")
            {
                RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : _options.Period,
            };
    }

    /// <summary>Whether the API server may be asked now about a token that came from the address.</summary>
    public bool Review(string address)
    {
        using var lease = _reviews.AttemptAcquire(address);
        return lease.IsAcquired;
    }

    public void Dispose()
    {
        _calls.Dispose();
        _reviews.Dispose();
    }

    private static PartitionedRateLimiter<string> Buckets(int burst, int perPeriod, TimeSpan period) => PartitionedRateLimiter.Create<string, string>(key =>
        RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions { TokenLimit = burst, TokensPerPeriod = perPeriod, ReplenishmentPeriod = period, QueueLimit = 0 }));
}

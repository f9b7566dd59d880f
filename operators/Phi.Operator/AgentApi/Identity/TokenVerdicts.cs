using System.Security.Cryptography;
using System.Text;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>
/// Verdicts on tokens, kept by the tokens' hashes: a memory dump gives nobody a token. They are asked for again after a while; when the API
/// server cannot answer then, a good one stays good until the token's own end, so that agents do not look silent because another is away.
/// </summary>
/// <param name="review">Never throws but for cancellation.</param>
/// <param name="mayReview">Of the address that a token comes from; false: it has cost the API server too much just now.</param>
internal sealed class TokenVerdicts(Func<string, CancellationToken, Task<TokenVerdict>> review, Func<string, bool> mayReview, TimeProvider time) : IDisposable
{
    /// <summary>Two tokens for each of 10,000 pods, at some 500 bytes.</summary>
    public const int MostKept = 20_000;

    /// <summary>What became of a token's pod is seen at once by the cache of pods; a revoked service account is seen after this.</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(2);

    /// <summary>Who shows the same bad token again and again costs the API server no more than this.</summary>
    public static readonly TimeSpan RefusedFor = TimeSpan.FromSeconds(10);

    /// <summary>Between two questions about a good token while the API server does not answer.</summary>
    public static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    /// <summary>With a good verdict at hand nobody waits longer for a new one: an agent gives up on a replica after 1.5 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <param name="address">Where it comes from.</param>
    /// <param name="anew">Whatever is known: something speaks against it.</param>
    public async Task<TokenVerdict> JudgeAsync(string token, string address, bool anew, CancellationToken ct)
    {
        Task<TokenVerdict> answer;
        TokenVerdict.Good? known;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var entry = Get(token, now);
            entry.UsedAt = now;
            if (!anew && entry.Verdict is { } verdict && now < entry.AskAt)
            {
                return verdict;
            }

            known = entry.Verdict is TokenVerdict.Good good && now < entry.End ? good : null;
            answer = entry.Review ??= Task.Run(() => ReviewAsync(token, address, entry), CancellationToken.None);
        }

        if (known is not null && await Task.WhenAny(answer, Task.Delay(Patience, time, ct)) != answer)
        {
            ct.ThrowIfCancellationRequested();
            return known;
        }

        return await answer.WaitAsync(ct);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>For all who ask meanwhile; who gives up waiting ends it for nobody.</summary>
    private async Task<TokenVerdict> ReviewAsync(string token, string address, Entry entry)
    {
        TokenVerdict verdict = new TokenVerdict.Unknown("the operator stops; ask again");
        try
        {
            verdict = mayReview(address) ? await review(token, _stop.Token) : new TokenVerdict.Unknown($"too many tokens from {address} that this replica of the operator does not know; ask again");
        }
        catch (OperationCanceledException)
        {
            // The operator stops.
        }

        lock (_lock)
        {
            var now = time.GetUtcNow();
            entry.Review = null;
            switch (verdict)
            {
                case TokenVerdict.Unknown when entry.Verdict is TokenVerdict.Good good && now < entry.End:
                    entry.AskAt = Earlier(now + RetryPeriod, entry.End);
                    return good;
                case TokenVerdict.Unknown:
                    // Kept by nobody: the next one asks.
                    (entry.Verdict, entry.AskAt) = (null, now);
                    break;
                case TokenVerdict.Good:
                    // A token without an end is good for as long as it is asked for.
                    entry.End = TokenClaims.Read(token).Expiry ?? now;
                    (entry.Verdict, entry.AskAt) = (verdict, entry.End > now ? Earlier(now + GoodFor, entry.End) : now);
                    break;
                default:
                    (entry.Verdict, entry.AskAt) = (verdict, now + RefusedFor);
                    break;
            }

            return verdict;
        }
    }

    private Entry Get(string token, DateTimeOffset now)
    {
        var key = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (!_entries.TryGetValue(key, out var entry))
        {
            if (_entries.Count >= MostKept)
            {
                // What is not good goes first, so that a flood of wrong tokens pushes no pod's out; then what was shown the longest ago.
                foreach (var old in _entries.OrderBy(pair => pair.Value.Verdict is TokenVerdict.Good && now < pair.Value.End).ThenBy(pair => pair.Value.UsedAt).Take(MostKept / 10).Select(pair => pair.Key).ToList())
                {
                    _entries.Remove(old);
                }
            }

            _entries[key] = entry = new Entry();
        }

        return entry;
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private sealed class Entry
    {
        public TokenVerdict? Verdict { get; set; }

        /// <summary>The token's own.</summary>
        public DateTimeOffset End { get; set; }

        public DateTimeOffset AskAt { get; set; }

        public DateTimeOffset UsedAt { get; set; }

        /// <summary>Under way.</summary>
        public Task<TokenVerdict>? Review { get; set; }
    }
}

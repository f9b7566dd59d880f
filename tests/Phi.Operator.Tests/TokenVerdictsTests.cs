using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Phi.Operator.AgentApi.Identity;

namespace Phi.Operator.Tests;

/// <summary>How long a verdict on a token holds, and what is asked for it.</summary>
public sealed class TokenVerdictsTests : IDisposable
{
    private static readonly TokenVerdict Good = new TokenVerdict.Good(new PodIdentity("default", "job-0", "uid"));
    private static readonly TokenVerdict Refused = new TokenVerdict.Refused("no");
    private static readonly TokenVerdict Unknown = new TokenVerdict.Unknown("away");
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly TokenVerdicts _verdicts;
    private Func<string, Task<TokenVerdict>> _answer = _ => Task.FromResult(Good);
    private int _asked;
    private bool _mayReview = true;

    public TokenVerdictsTests() => _verdicts = new TokenVerdicts((token, _) => Asked(token), _ => _mayReview, _clock);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _verdicts.Dispose();

    [Fact]
    public async Task JudgeAsync_Good_IsAskedForAgainAfterTwoMinutes()
    {
        var token = Token(TimeSpan.FromHours(1));
        Assert.Equal(Good, await JudgeAsync(token));
        _clock.Advance(TokenVerdicts.GoodFor - TimeSpan.FromSeconds(1));
        Assert.Equal(Good, await JudgeAsync(token));
        Assert.Equal(1, _asked);

        _clock.Advance(TimeSpan.FromSeconds(1));
        _answer = _ => Task.FromResult(Refused);
        Assert.Equal(Refused, await JudgeAsync(token));
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task JudgeAsync_ServerAway_HoldsToTheTokensEndAndAsksNowAndThen()
    {
        var token = Token(TimeSpan.FromMinutes(30));
        await JudgeAsync(token);
        _answer = _ => Task.FromResult(Unknown);
        _clock.Advance(TimeSpan.FromMinutes(29));
        Assert.Equal([Good, Good], [await JudgeAsync(token), await JudgeAsync(token)]);
        Assert.Equal(2, _asked);
        _clock.Advance(TokenVerdicts.RetryPeriod);
        Assert.Equal(Good, await JudgeAsync(token));
        Assert.Equal(3, _asked);

        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Unknown, await JudgeAsync(token));
    }

    [Theory]
    [InlineData("no JSON web token")]
    [InlineData("a.b.c")]
    [InlineData("a.bnVsbA.c")]
    [InlineData("a.eyJleHAiOiJzb29uIn0.c")]
    public async Task JudgeAsync_TokenThatDoesNotSayWhenItEnds_IsAskedForEachTime(string token)
    {
        Assert.Equal(Good, await JudgeAsync(token));
        _answer = _ => Task.FromResult(Unknown);
        Assert.Equal(Unknown, await JudgeAsync(token));
        Assert.Equal(2, _asked);
    }

    /// <summary>The API server's clock is the one that counts: this one may be ahead.</summary>
    [Fact]
    public async Task JudgeAsync_TokenThatHasEndedHere_IsWhatTheServerSays()
    {
        var token = Token(TimeSpan.FromMinutes(-1));

        Assert.Equal(Good, await JudgeAsync(token));
        _answer = _ => Task.FromResult(Refused);
        Assert.Equal(Refused, await JudgeAsync(token));
    }

    [Fact]
    public async Task JudgeAsync_Refused_IsNotAskedForAgainAtOnce()
    {
        _answer = _ => Task.FromResult(Refused);
        var token = Token(TimeSpan.FromHours(1));
        Assert.Equal([Refused, Refused], [await JudgeAsync(token), await JudgeAsync(token)]);
        Assert.Equal(1, _asked);

        _answer = _ => Task.FromResult(Good);
        _clock.Advance(TokenVerdicts.RefusedFor);
        Assert.Equal(Good, await JudgeAsync(token));
    }

    [Fact]
    public async Task JudgeAsync_FromWhereTooManyCame_IsNotAskedForAndOnesThatAreGoodStayGood()
    {
        var known = Token(TimeSpan.FromHours(1));
        await JudgeAsync(known);
        _mayReview = false;

        Assert.Equal(new TokenVerdict.Unknown("too many tokens from 10.0.0.1 that this replica of the operator does not know; ask again"), await JudgeAsync(Token(TimeSpan.FromHours(2))));
        _clock.Advance(TokenVerdicts.GoodFor);
        Assert.Equal(Good, await JudgeAsync(known));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task JudgeAsync_ManyAtOnce_AreOneQuestion()
    {
        var held = new TaskCompletionSource<TokenVerdict>();
        _answer = _ => held.Task;
        var token = Token(TimeSpan.FromHours(1));
        using var impatient = new CancellationTokenSource();
        var all = Enumerable.Range(0, 20).Select(_ => JudgeAsync(token)).ToList();
        var leaving = _verdicts.JudgeAsync(token, "10.0.0.1", anew: false, impatient.Token);

        // Who leaves takes the answer from nobody.
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        held.SetResult(Good);

        Assert.All(await Task.WhenAll(all), verdict => Assert.Equal(Good, verdict));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task JudgeAsync_SlowServerAndAGoodVerdictAtHand_KeepsNobodyWaiting()
    {
        var token = Token(TimeSpan.FromHours(1));
        await JudgeAsync(token);
        var held = new TaskCompletionSource<TokenVerdict>();
        _answer = _ => held.Task;
        _clock.Advance(TokenVerdicts.GoodFor);

        var waiting = JudgeAsync(token);
        while (!waiting.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Assert.Equal(Good, await waiting);
        held.SetResult(Refused);
        while (await JudgeAsync(token) != Refused)
        {
            await Task.Yield();
        }
    }

    [Fact]
    public async Task JudgeAsync_Anew_AsksThoughItIsKnown()
    {
        var token = Token(TimeSpan.FromHours(1));
        await JudgeAsync(token);
        _answer = _ => Task.FromResult(Refused);

        Assert.Equal(Refused, await _verdicts.JudgeAsync(token, "10.0.0.1", anew: true, Ct));
    }

    [Fact]
    public async Task JudgeAsync_AFloodOfWrongTokens_IsBoundedAndPushesNoGoodOneOut()
    {
        var token = Token(TimeSpan.FromHours(1));
        await JudgeAsync(token);
        _answer = _ => Task.FromResult(Refused);
        for (var i = 0; i < TokenVerdicts.MostKept + 100; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await JudgeAsync($"wrong {i}");
        }

        var asked = _asked;
        Assert.InRange(_verdicts.Count, 1, TokenVerdicts.MostKept);
        Assert.Equal(Good, await JudgeAsync(token));
        Assert.Equal(asked, _asked);
    }

    [Theory]
    [InlineData("""{"authenticated": true, "audiences": ["phi-orchestrator"], "user": {"username": "system:serviceaccount:team:trainer", "extra": {"authentication.kubernetes.io/pod-name": ["job-0"], "authentication.kubernetes.io/pod-uid": ["u"]}}}""", null)]
    [InlineData("""{"authenticated": true, "user": {"username": "system:serviceaccount:team:trainer", "extra": {"authentication.kubernetes.io/pod-name": ["job-0"], "authentication.kubernetes.io/pod-uid": ["u"]}}}""", "the token is not for the audience phi-orchestrator")]
    [InlineData("""{"authenticated": true, "audiences": ["other"], "user": {"username": "system:serviceaccount:team:trainer"}}""", "the token is not for the audience phi-orchestrator")]
    [InlineData("""{"authenticated": true, "audiences": ["phi-orchestrator"], "user": {"username": "system:serviceaccount:team:trainer"}}""", "the token is not bound to a pod")]
    [InlineData("""{"authenticated": true, "audiences": ["phi-orchestrator"], "user": {"username": "jane", "extra": {"authentication.kubernetes.io/pod-name": ["job-0"], "authentication.kubernetes.io/pod-uid": ["u"]}}}""", "the token is not bound to a pod")]
    [InlineData("""{"error": "expired"}""", "the API server does not take the token (expired)")]
    public void Read_AReviewsAnswer_IsAPodOrWhyNot(string status, string? why) =>
        Assert.Equal(why is null ? new TokenVerdict.Good(new PodIdentity("team", "job-0", "u")) : new TokenVerdict.Refused(why), TokenReviewer.Read(new JsonObject { ["status"] = JsonNode.Parse(status) }));

    private Task<TokenVerdict> JudgeAsync(string token) => _verdicts.JudgeAsync(token, "10.0.0.1", anew: false, Ct);

    private Task<TokenVerdict> Asked(string token)
    {
        Interlocked.Increment(ref _asked);
        return _answer(token);
    }

    private string Token(TimeSpan life) => $"head.{Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"exp":{{(_clock.GetUtcNow() + life).ToUnixTimeSeconds()}}}""")).TrimEnd('=').Replace('+', '-').Replace('/', '_')}.signature";
}

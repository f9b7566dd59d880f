using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Kubernetes;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>Asks the API server whose token it is (authentication.k8s.io/v1 TokenReview).</summary>
/// <param name="connection">Not the leader's alone: every replica checks what agents send it.</param>
internal sealed partial class TokenReviewer(KubernetesConnection connection, TimeProvider time, ILogger logger) : IDisposable
{
    private const string AccountPrefix = "system:serviceaccount:";
    private const string PodName = "authentication.kubernetes.io/pod-name";
    private const string PodUid = "authentication.kubernetes.io/pod-uid";

    /// <summary>An agent waits for 10 s at most, and asks again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>After a start every agent's token is new: thousands of reviews would else be under way at once.</summary>
    private readonly SemaphoreSlim _turns = new(32);
    private string? _said;

    /// <summary>Never throws but for the cancellation.</summary>
    public async Task<TokenVerdict> AskAsync(string token, CancellationToken ct)
    {
        using var bound = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, bound.Token);
        try
        {
            await _turns.WaitAsync(both.Token);
            try
            {
                var verdict = Read(await connection.SendAsync(HttpMethod.Post, "apis/authentication.k8s.io/v1/tokenreviews", Review(token), "application/json", both.Token));
                _said = null;
                return verdict;
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Unknown($"it did not answer within {Patience.TotalSeconds:0} s");
        }
        catch (KubernetesApiException e) when (e.Code == HttpStatusCode.Forbidden)
        {
            return Unknown($"{e.Message}; let the operator create tokenreviews of authentication.k8s.io");
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
        {
            return Unknown(e.Message);
        }
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>The answer's verdict.</summary>
    public static TokenVerdict Read(JsonObject answer)
    {
        var status = answer["status"];
        if ((bool?)status?["authenticated"] != true)
        {
            return new TokenVerdict.Refused($"the API server does not take the token ({(string?)status?["error"] ?? "no reason given"})");
        }

        // A server that knows no audiences leaves them out, and would take any token of the cluster.
        if (!Texts(status["audiences"]).Contains(AgentCredentials.Audience))
        {
            return new TokenVerdict.Refused($"the token is not for the audience {AgentCredentials.Audience}");
        }

        var (user, extra) = ((string?)status["user"]?["username"] ?? "", status["user"]?["extra"]);
        return user.StartsWith(AccountPrefix, StringComparison.Ordinal) && user[AccountPrefix.Length..].Split(':') is [var @namespace, _] && Texts(extra?[PodName]) is [var name] && Texts(extra?[PodUid]) is [var uid]
            ? new TokenVerdict.Good(new PodIdentity(@namespace, name, uid))
            : new TokenVerdict.Refused("the token is not bound to a pod");
    }

    private static JsonObject Review(string token) => new()
    {
        ["apiVersion"] = "authentication.k8s.io/v1",
        ["kind"] = "TokenReview",
        ["spec"] = new JsonObject { ["token"] = token, ["audiences"] = new JsonArray(AgentCredentials.Audience) },
    };

    private static List<string> Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(item => (string?)item ?? "")];

    private TokenVerdict.Unknown Unknown(string problem)
    {
        if (Interlocked.Exchange(ref _said, problem) != problem)
        {
            LogProblem(logger, problem);
        }

        return new TokenVerdict.Unknown($"the API server cannot be asked about the token: {problem}");
    }

    [LoggerMessage(1, LogLevel.Warning, "The API server cannot be asked about agents' tokens: {Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}

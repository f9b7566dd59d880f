using System.Net;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Phi.Kubernetes;
using Phi.Operator.Leader;
using Phi.Operator.Observe;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>
/// Lets a request in if its token is of a pod of the job that it names. The API server says which pod a token is bound to, the cache of pods
/// whether that pod is there and whose it is: so a token is good for one pod of one job, and ends with the pod.
/// </summary>
internal sealed class AgentGate(TokenVerdicts verdicts, LegacyPods legacy, CallLimits limits, ClusterCache cluster, Leadership leadership)
{
    private const string Scheme = "Bearer ";

    /// <summary>The caller, by its token alone; null if there is none or it calls too often, and the refusal is written.</summary>
    public async Task<AgentCaller?> IdentifyAsync(HttpContext http)
    {
        var caller = await KnowAsync(http);
        var name = caller switch
        {
            AgentCaller.Pod pod => pod.Identity.Uid,
            AgentCaller.Former => Address(http),
            _ => null,
        };
        if (name is null || limits.Call(name) is not { } refusal)
        {
            return caller;
        }

        await refusal.WriteAsync(http);
        return null;
    }

    private async Task<AgentCaller?> KnowAsync(HttpContext http)
    {
        var header = (string?)http.Request.Headers.Authorization ?? "";
        var token = header.StartsWith(Scheme, StringComparison.Ordinal) ? header[Scheme.Length..].Trim() : "";
        if (token.Length > 0 && LegacyPods.MayBe(token))
        {
            return new AgentCaller.Former(token);
        }

        if (!http.Request.IsHttps)
        {
            await new Refusal(HttpStatusCode.Forbidden, "a pod's token is taken over HTTPS alone").WriteAsync(http);
            return null;
        }

        var verdict = token.Length == 0
            ? new TokenVerdict.Refused($"there is no token; send the content of ${Phi.Api.Metadata.PhiEnvironment.AgentTokenFile} as Authorization: Bearer")
            : await verdicts.JudgeAsync(token, Address(http), anew: false, http.RequestAborted);
        if (verdict is TokenVerdict.Good { Pod: var pod })
        {
            return new AgentCaller.Pod(pod, token);
        }

        await Refuse(token, verdict).WriteAsync(http);
        return null;
    }

    /// <summary>Whether the caller may speak for the job and the pod; false: the refusal is written.</summary>
    public async Task<bool> AdmitAsync(HttpContext http, AgentCaller caller, AgentClaim claim)
    {
        var refusal = caller switch
        {
            AgentCaller.Pod pod => await CheckAsync(pod, claim, Address(http), http.RequestAborted),
            AgentCaller.Former former => legacy.IsGood(former.Token, claim) ? null : new Refusal(HttpStatusCode.Unauthorized, "the token is not this job's"),
            _ => throw new ArgumentOutOfRangeException(nameof(caller)),
        };
        if (refusal is null)
        {
            return true;
        }

        await refusal.WriteAsync(http);
        return false;
    }

    private async Task<Refusal?> CheckAsync(AgentCaller.Pod caller, AgentClaim claim, string address, CancellationToken ct)
    {
        var self = caller.Identity;
        if (self.Namespace != claim.Namespace || (claim.PodUid is { } uid && uid != self.Uid))
        {
            return new Refusal(HttpStatusCode.Forbidden, $"the token is of pod {self.Namespace}/{self.Name} ({self.Uid}), and the request is for pod {claim.PodUid ?? "any"} of job {claim.Namespace}/{claim.Job}");
        }

        if (cluster.Job(new ResourceKey(claim.Namespace, claim.Job))?.Metadata.Uid != claim.JobUid)
        {
            // Only the leader has seen every job for certain: it made their pods.
            return leadership.IsLeading
                ? new Refusal(HttpStatusCode.NotFound, $"there is no job {claim.Job} of that uid")
                : new Refusal(HttpStatusCode.ServiceUnavailable, $"this replica of the operator knows no job {claim.Job} of that uid; ask again");
        }

        if (cluster.Pod(self.Namespace, self.Name) is { } pod && pod.Metadata.Uid == self.Uid)
        {
            return IsOf(pod, claim) ? null : new Refusal(HttpStatusCode.Forbidden, $"the token is of pod {self.Name}, which is not one of job {claim.Job}");
        }

        // The verdict may be two minutes old, and the pod gone; or the cache has not seen a new pod yet.
        return await verdicts.JudgeAsync(caller.Token, address, anew: true, ct) is not TokenVerdict.Good and var verdict
            ? Refuse(caller.Token, verdict)
            : new Refusal(HttpStatusCode.ServiceUnavailable, $"this replica of the operator has not seen pod {self.Name} yet; ask again");
    }

    private static string Address(HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>Whoever may create pods may label them as he likes; an owner that is not there ends a pod, so it is asked for too.</summary>
    private static bool IsOf(V1Pod pod, AgentClaim claim) =>
        pod.Metadata.OwnerReferences?.Any(owner => owner is { Controller: true, Kind: "TrainingJob" } && owner.Name == claim.Job && owner.Uid == claim.JobUid) == true;

    /// <summary>A pod that is gone is told so, and asks no more; what is wrong with a token that is there may pass.</summary>
    private Refusal Refuse(string token, TokenVerdict verdict) => verdict switch
    {
        TokenVerdict.Unknown unknown => new Refusal(HttpStatusCode.ServiceUnavailable, unknown.Why),
        TokenVerdict.Refused when leadership.IsLeading && TokenClaims.Read(token).Pod is { } pod && cluster.Pod(pod.Namespace, pod.Name)?.Metadata.Uid != pod.Uid =>
            new Refusal(HttpStatusCode.NotFound, $"pod {pod.Name} of the token is gone"),
        TokenVerdict.Refused refused => new Refusal(HttpStatusCode.Unauthorized, refused.Why),
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };
}

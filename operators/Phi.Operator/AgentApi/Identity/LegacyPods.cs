using k8s.Models;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Operator.Observe;

namespace Phi.Operator.AgentApi.Identity;

/// <summary>
/// Pods that an operator up to 0.1 created show a keyed hash of their job's uid, which stands in their spec. Jobs that run when the operator
/// is upgraded keep running; no pod made since is let in by such a token. To be removed, with <see cref="PhiEnvironment.AgentToken"/>, in 0.3:
/// by then nobody upgrades from 0.1 at once.
/// </summary>
internal sealed class LegacyPods(AgentTokens tokens, ClusterCache cluster)
{
    /// <summary>Others are JSON web tokens, which have dots.</summary>
    public static bool MayBe(string token) => !token.Contains('.', StringComparison.Ordinal);

    /// <summary>Whether the token is the claimed job's, and the claimed pod, or if none is named any of the job's, one of before.</summary>
    public bool IsGood(string token, AgentClaim claim) =>
        tokens.IsValid(claim.JobUid, token) && cluster.PodsOf(claim.JobUid).Any(pod => pod.Metadata.NamespaceProperty == claim.Namespace && (claim.PodUid is null || pod.Metadata.Uid == claim.PodUid) && IsOfBefore(pod));

    public static bool IsOfBefore(V1Pod pod) =>
        pod.Spec.Containers.Any(container => container.Env?.Any(variable => variable.Name == PhiEnvironment.AgentToken && !string.IsNullOrEmpty(variable.Value)) == true)
        && pod.Spec.Volumes?.Any(volume => volume.Name == AgentCredentials.Volume) != true;
}

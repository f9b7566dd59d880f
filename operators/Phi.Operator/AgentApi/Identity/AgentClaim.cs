namespace Phi.Operator.AgentApi.Identity;

/// <summary>For whom a request says that it is made.</summary>
/// <param name="PodUid">Null: the request names no pod.</param>
internal sealed record AgentClaim(string Namespace, string Job, string JobUid, string? PodUid);

namespace Phi.Operator.AgentApi.Identity;

/// <summary>The pod that a token is bound to, as the API server says.</summary>
internal sealed record PodIdentity(string Namespace, string Name, string Uid);

namespace Phi.Api.Agent;

/// <summary>
/// How a pod of a job shows who it is: by a token of its service account, bound to the pod, which the node puts into a volume and renews
/// (kubernetes.io, "ServiceAccount token volume projection").
/// </summary>
public static class AgentCredentials
{
    /// <summary>What the token is for: the operator takes no other, and the API server takes none of this.</summary>
    public const string Audience = "phi-orchestrator";

    /// <summary>Of the token; nodes renew it when four fifths are over, so that one which is read anew is good for 12 minutes at least.</summary>
    public const int LifeSeconds = 3600;

    /// <summary>Volume of a job's pods, and where their containers see it.</summary>
    public const string Volume = "phi-operator";
    public const string Folder = "/var/run/secrets/phi-orchestrator.io";

    /// <summary>File of the volume with the token. It changes: read it for each request.</summary>
    public const string TokenFile = "token";

    /// <summary>File of the volume with the authority by which the operator is known, from the pod's annotation.</summary>
    public const string AuthorityFile = "ca.crt";
}

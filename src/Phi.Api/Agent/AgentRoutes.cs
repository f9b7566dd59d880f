namespace Phi.Api.Agent;

/// <summary>
/// The operator's agent API. Every request carries <c>Authorization: Bearer TOKEN</c>, the token of one pod (<see cref="AgentCredentials"/>),
/// which is good for the job of that pod alone. 401: the token is not good now; read it anew. 403: it is another pod's or another job's.
/// 404: the job or the pod is gone. 503: whether it is good is not known now; ask again.
/// </summary>
public static class AgentRoutes
{
    /// <summary>POST <see cref="AssignmentRequest"/>; 200 <see cref="AssignmentResponse"/>.</summary>
    public const string Assignment = "/agent/v1/assignment";

    /// <summary>POST <see cref="Heartbeat"/>; 200 <see cref="HeartbeatResponse"/>.</summary>
    public const string Heartbeat = "/agent/v1/heartbeat";

    /// <summary>POST <see cref="EventBatch"/>; 200 when stored. Replays change nothing.</summary>
    public const string Events = "/agent/v1/events";

    /// <summary>POST <see cref="ContainerProgress"/> from a program of any kind; 204.</summary>
    public const string Progress = "/agent/v1/progress";

    /// <summary>Header of a request that one replica of the operator hands on to the leader: the replica's identity.</summary>
    public const string ForwardedHeader = "Phi-Forwarded-By";
}

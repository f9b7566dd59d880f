using Phi.Kubernetes;

namespace Phi.Dashboard.Live;

/// <summary>Of what something has changed.</summary>
public enum LiveKind
{
    /// <summary>A job, one of its pods, or its events.</summary>
    Job,
    Queue,
    Node,
    Cron,
}

/// <param name="Key">Of the object; for a job's pods and events the job's.</param>
public readonly record struct LiveChange(LiveKind Kind, ResourceKey Key);

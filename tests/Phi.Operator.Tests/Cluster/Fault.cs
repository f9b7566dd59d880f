namespace Phi.Operator.Tests.Cluster;

/// <summary>What may happen to a call of the API server.</summary>
public enum Fault
{
    Conflict,
    Gone,
    TooManyRequests,
    ServerError,

    /// <summary>The request never arrives, and no answer comes.</summary>
    RequestLost,

    /// <summary>The server does what was asked; its answer is lost.</summary>
    AnswerLost,

    /// <summary>A watch breaks within its second line.</summary>
    WatchCut,

    /// <summary>A watch sends every change twice, and older ones once more.</summary>
    WatchReplayed,

    /// <summary>A watch ends with 410 after its first change.</summary>
    WatchGone,
}

namespace Phi.Collectives.Nccl.Control;

/// <summary>What ranks tell rank 0, and what it tells them; one part is set.</summary>
/// <param name="Left">A rank that left in order: all its collectives were done.</param>
internal sealed record ControlMessage(RankStatus? Status = null, Report? Report = null, int? Left = null, Failure? Verdict = null);

/// <summary>Where a rank's device is.</summary>
/// <param name="Progress">Grows when a collective begins or ends on the device.</param>
/// <param name="IsInside">A collective has begun on the device and has not ended.</param>
internal sealed record RankStatus(long Progress, bool IsInside);

/// <summary>A collective of one rank that does not get on.</summary>
/// <param name="Operation">Null for the making of a communicator.</param>
/// <param name="Suspect">The rank that must be missing, where that is known.</param>
/// <param name="IsError">NCCL or CUDA said so; false: it took too long.</param>
/// <param name="Members">World ranks of its communicator.</param>
internal sealed record Report(int Reporter, CollectiveOperation? Operation, int? Suspect, bool IsError, IReadOnlyList<int> Members, string Text);

/// <summary>Why a group is over.</summary>
/// <param name="Operation">What could not complete; null where nothing was under way.</param>
/// <param name="Reason">What the missing rank did, as <see cref="CollectiveException"/> words it.</param>
internal sealed record Failure(int MissingRank, CollectiveOperation? Operation, string Reason);

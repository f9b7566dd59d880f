using System.Collections.Immutable;
using Phi.Reconcile.Decisions;

namespace Phi.Reconcile.Policies;

/// <summary>What was found for a gang.</summary>
/// <param name="Placements">A node for every gated pod; null: there is none for all of them.</param>
/// <param name="MovesAll">A place is there only if the pods that have one leave it.</param>
/// <param name="Why">A sentence with the numbers.</param>
public sealed record PlacementResult(ImmutableArray<Placement>? Placements, bool MovesAll, string Why);

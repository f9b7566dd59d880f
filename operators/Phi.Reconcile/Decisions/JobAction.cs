using System.Collections.Immutable;

namespace Phi.Reconcile.Decisions;

/// <summary>Something to be done to the cluster. Each is idempotent: done twice, it is done once.</summary>
public abstract record JobAction
{
    private JobAction()
    {
    }

    public sealed record AddFinalizer : JobAction;

    public sealed record RemoveFinalizer : JobAction;

    /// <summary>The headless service of the gang.</summary>
    public sealed record EnsureService : JobAction;

    /// <summary>A gated pod.</summary>
    public sealed record CreatePod(int Index, string Name, int Attempt) : JobAction;

    /// <summary>Pins every gated pod of the gang to its node, then opens all gates.</summary>
    public sealed record PlaceGang(ImmutableArray<Placement> Placements) : JobAction;

    /// <param name="GracePeriodSeconds">Null: the pod's own.</param>
    public sealed record DeletePod(string Name, string Uid, long? GracePeriodSeconds) : JobAction;

    /// <summary>The job itself: its time after the end is over.</summary>
    public sealed record DeleteJob : JobAction;
}

public sealed record Placement(string Pod, string Uid, string Node);

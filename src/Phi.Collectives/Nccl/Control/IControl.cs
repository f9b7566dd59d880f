namespace Phi.Collectives.Nccl.Control;

/// <summary>The ranks' side channel, apart from NCCL and from the host's group. Called by the watchdog's thread alone; never blocks.</summary>
internal interface IControl
{
    /// <summary>Whether a rank has left in order.</summary>
    bool HasLeft(int rank);

    void Publish(RankStatus status);

    void Tell(Report report);

    /// <summary>Hears what came. Once a rank is found missing every call returns the same.</summary>
    Failure? Look();

    /// <summary>Closes the sockets.</summary>
    /// <param name="inOrder">Tells the others first, so that they do not take it for a death.</param>
    void Leave(bool inOrder);
}

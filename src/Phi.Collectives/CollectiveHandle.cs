namespace Phi.Collectives;

/// <summary>A started collective. Its buffers belong to the communicator until <see cref="Wait"/> has returned.</summary>
public readonly struct CollectiveHandle(Action? complete)
{
    /// <exception cref="CollectiveException">A rank left, or did not answer within the deadline.</exception>
    public void Wait() => complete?.Invoke();
}

namespace Phi.Checkpoints.Stores;

/// <summary>
/// Tries again what a network file system fails in passing: EIO and ESTALE while its server restarts or fails over, ETIMEDOUT, EHOSTDOWN and
/// EHOSTUNREACH while it is away. Only for work that may be done twice.
/// </summary>
/// <param name="time">By which it waits.</param>
internal sealed class FolderRetries(TimeProvider time)
{
    private const int Tries = 5;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>The last try's error is thrown as it is; in all it waits for 1.5 s.</summary>
    public T Do<TState, T>(TState state, Func<TState, T> work)
        where TState : allows ref struct
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return work(state);
            }
            catch (IOException e) when (tries < Tries && FolderFaults.IsPassing(e))
            {
                Task.Delay(FirstDelay * (1 << (tries - 1)), time).GetAwaiter().GetResult();
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Phi.Checkpoints.Resharding;

/// <summary>Reads that go on at once, so many at most: a storage far away answers slowly, and digests take a processor's time.</summary>
internal static class ParallelReads
{
    /// <summary>Each holds a buffer of about 6 MiB.</summary>
    public const int Most = 8;

    /// <summary>Returns when all are done. After a failure no further one begins.</summary>
    /// <exception cref="CheckpointException">One of them failed so; if the storage failed in another, that one's exception.</exception>
    public static void Run<T>(IEnumerable<T> items, Action<T> read)
    {
        var failures = new ConcurrentQueue<Exception>();
        Parallel.ForEach(items, new ParallelOptions { MaxDegreeOfParallelism = Most }, (item, state) =>
        {
            try
            {
                read(item);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
                state.Stop();
            }
        });

        // A storage that fails says nothing of the checkpoint.
        if ((failures.FirstOrDefault(failure => failure is not CheckpointException) ?? failures.FirstOrDefault()) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}

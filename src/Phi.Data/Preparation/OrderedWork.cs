using System.Runtime.CompilerServices;

namespace Phi.Data.Preparation;

/// <summary>Work on items by as many cores as there are; the results come out in the items' order.</summary>
internal static class OrderedWork
{
    private const int BatchItems = 256;

    /// <param name="weigh">Bytes of an item: a batch has about as many as <paramref name="batchBytes"/>.</param>
    public static async IAsyncEnumerable<(T Item, TResult Result)> SelectAsync<T, TResult>(
        IAsyncEnumerable<T> items, Func<T, int> weigh, int batchBytes, Func<T, CancellationToken, ValueTask<TResult>> work, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Queue<Task<List<(T, TResult)>>>();
        try
        {
            var (batch, bytes) = (new List<T>(), 0);
            await foreach (var item in items.WithCancellation(cancellationToken))
            {
                batch.Add(item);
                bytes += weigh(item);
                if (bytes < batchBytes && batch.Count < BatchItems)
                {
                    continue;
                }

                Start(batch);
                (batch, bytes) = ([], 0);
                if (running.Count <= Environment.ProcessorCount)
                {
                    continue;
                }

                foreach (var done in await running.Dequeue())
                {
                    yield return done;
                }
            }

            Start(batch);
            while (running.TryDequeue(out var next))
            {
                foreach (var done in await next)
                {
                    yield return done;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            // Nobody asks for their results or their errors.
            await Task.WhenAll(running).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        void Start(List<T> batch) => running.Enqueue(Task.Run(() => WorkAsync(batch, work, stop.Token), CancellationToken.None));
    }

    private static async Task<List<(T, TResult)>> WorkAsync<T, TResult>(List<T> batch, Func<T, CancellationToken, ValueTask<TResult>> work, CancellationToken cancellationToken)
    {
        var results = new List<(T, TResult)>(batch.Count);
        foreach (var item in batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            results.Add((item, await work(item, cancellationToken)));
        }

        return results;
    }
}

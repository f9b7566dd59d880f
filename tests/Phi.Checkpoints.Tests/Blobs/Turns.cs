namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Lets threads go on one operation at a time, in an order that is given.</summary>
internal sealed class Turns : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<SemaphoreSlim> _waiting = [];
    private readonly SemaphoreSlim _settled = new(0);
    private readonly ThreadLocal<int> _self = new();

    /// <summary>Every order of the actors' operations, each with a new scene; returns how many there were.</summary>
    /// <param name="scene">Makes the actors; each calls <see cref="Take"/> before every operation.</param>
    public static int Explore(Func<Turns, (Action[] Actors, Action Check)> scene)
    {
        var count = 0;
        List<(int Chosen, int Of)> path = [];
        do
        {
            using var turns = new Turns();
            var (actors, check) = scene(turns);
            turns.Run(actors, path);
            check();
            count++;
            // The last choice that has another goes on to it; those after it begin anew.
            while (path.Count > 0 && path[^1].Chosen + 1 == path[^1].Of)
            {
                path.RemoveAt(path.Count - 1);
            }

            if (path.Count > 0)
            {
                path[^1] = (path[^1].Chosen + 1, path[^1].Of);
            }
        }
        while (path.Count > 0);
        return count;
    }

    /// <summary>Waits for this thread's turn.</summary>
    public void Take()
    {
        using var turn = new SemaphoreSlim(0);
        lock (_lock)
        {
            _waiting[_self.Value] = turn;
        }

        _settled.Release();
        turn.Wait();
    }

    public void Dispose()
    {
        _settled.Dispose();
        _self.Dispose();
    }

    private void Run(Action[] actors, List<(int Chosen, int Of)> path)
    {
        var failures = new List<Exception>();
        var ended = new bool[actors.Length];
        _waiting.AddRange(new SemaphoreSlim[actors.Length]);
        var threads = actors.Select((actor, index) => new Thread(() =>
        {
            _self.Value = index;
            try
            {
                actor();
            }
            catch (Exception e)
            {
                failures.Add(e);
            }

            ended[index] = true;
            _settled.Release();
        })).ToList();
        foreach (var thread in threads)
        {
            thread.Start();
            _settled.Wait();
        }

        for (var depth = 0; Array.Exists(ended, end => !end); depth++)
        {
            var ready = Enumerable.Range(0, actors.Length).Where(index => !ended[index]).ToList();
            if (depth == path.Count)
            {
                path.Add((0, ready.Count));
            }

            SemaphoreSlim turn;
            lock (_lock)
            {
                turn = _waiting[ready[path[depth].Chosen]];
            }

            turn.Release();
            _settled.Wait();
        }

        threads.ForEach(thread => thread.Join());
        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }
    }
}

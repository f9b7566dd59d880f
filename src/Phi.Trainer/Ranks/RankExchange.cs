using System.Text;
using Phi.Checkpoints;
using Phi.Collectives;

namespace Phi.Trainer.Ranks;

/// <summary>Small things that ranks tell each other, and wait for. All are collective.</summary>
internal static class RankExchange
{
    /// <summary>The values of all ranks, by rank.</summary>
    public static unsafe T[] Gather<T>(this ICommunicator group, T mine)
        where T : unmanaged
    {
        var all = new T[group.WorldSize];
        fixed (T* values = all)
        {
            group.AllGather((nint)(&mine), (nint)values, sizeof(T)).Wait();
        }

        return all;
    }

    /// <summary>The texts of all ranks, by rank.</summary>
    /// <param name="most">UTF-8 bytes that the longest may have.</param>
    public static unsafe string[] Gather(this ICommunicator group, string mine, int most)
    {
        var all = new byte[most * group.WorldSize];
        _ = Encoding.UTF8.GetBytes(mine, all.AsSpan(group.Rank * most, most));
        fixed (byte* texts = all)
        {
            group.AllGather((nint)(texts + group.Rank * most), (nint)texts, most).Wait();
        }

        return [.. Enumerable.Range(0, group.WorldSize).Select(rank => Encoding.UTF8.GetString(all, rank * most, most).TrimEnd('\0'))];
    }

    /// <summary>Rank 0's value.</summary>
    public static unsafe T OfFirst<T>(this ICommunicator group, T mine)
        where T : unmanaged
    {
        group.Broadcast((nint)(&mine), sizeof(T), 0).Wait();
        return mine;
    }

    /// <summary>Rank 0's bytes, of any number.</summary>
    public static unsafe byte[] OfFirst(this ICommunicator group, byte[] mine)
    {
        var length = group.OfFirst(mine.LongLength);
        var bytes = group.Rank == 0 ? mine : new byte[length];
        if (length > 0)
        {
            fixed (byte* first = bytes)
            {
                group.Broadcast((nint)first, length, 0).Wait();
            }
        }

        return bytes;
    }

    /// <summary>False, on every rank, if the work failed on any of them.</summary>
    /// <param name="onFailure">Called on those on which it did.</param>
    /// <exception cref="CheckpointException">The checkpoint is of another format, which every rank finds so: nobody goes on without it.</exception>
    public static unsafe bool TryOnAll(this ICommunicator group, Action work, Action<CheckpointException> onFailure)
    {
        var failed = 0f;
        try
        {
            work();
        }
        catch (CheckpointException e) when (!e.IsOtherFormat)
        {
            failed = 1;
            onFailure(e);
        }

        group.AllReduce((nint)(&failed), 1).Wait();
        return failed == 0;
    }
}

using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Replicas;

/// <summary>The memories of a gang's pods as one rank sees them: its own pod's as a folder, the others' by their agents.</summary>
internal sealed class ReplicaRing : IDisposable
{
    /// <summary>Of an address, as ranks tell it.</summary>
    private const int AddressBytes = 128;
    private readonly int _pod;
    private readonly string _runId;
    private readonly ReplicaPeer[] _pods;

    private ReplicaRing(RankStart start, string key, IEnumerable<Uri> pods)
    {
        (_pod, _runId) = (start.NodeRank, start.RunId);
        Own = new ReplicaFolder(start.Replicas!.Folder);
        _pods = [.. pods.Select(address => new ReplicaPeer(address, key))];
    }

    public ReplicaFolder Own { get; }

    /// <summary>The pod that keeps this one's copies; null where there is none.</summary>
    public ReplicaPeer? Next => _pods.Length > 1 ? _pods[(_pod + 1) % _pods.Length] : null;

    /// <summary>
    /// Ranks tell each other where their agents are. Null if a pod has no key, which an older operator does not give: all ranks go without, since copies are
    /// looked for and made by all of them or by none. Collective.
    /// </summary>
    public static ReplicaRing? Connect(RankStart start, ICommunicator group, Action<string> log)
    {
        var key = start.Assignment.PeerKey;
        var pods = group.Gather(key is null ? "" : start.Replicas!.Address.AbsoluteUri, AddressBytes).Chunk(start.Assignment.LocalWorldSize).Select(pod => pod[0]).ToList();
        if (key is not null && !pods.Contains(""))
        {
            return new ReplicaRing(start, key, pods.Select(pod => new Uri(pod)));
        }

        if (start.Rank == 0)
        {
            var without = string.Join(", ", pods.Index().Where(pod => pod.Item.Length == 0).Select(pod => pod.Index));
            log($"attempt {start.Assignment.Attempt} keeps no copies in memory and uses none: the operator gave no key for them to pod {without}; upgrade the operator");
        }

        return null;
    }

    /// <summary>Whole copies in the memories of the pods that answer, the newest first.</summary>
    public IReadOnlyList<ReplicaCheckpoint> Find(Action<string> log)
    {
        var parts = new IReadOnlyList<ReplicaPart>[_pods.Length];
        Parallel.For(0, _pods.Length, pod =>
        {
            try
            {
                parts[pod] = pod == _pod ? Own.Parts() : _pods[pod].Parts();
            }
            catch (Exception e) when (e is CheckpointException or StorageException)
            {
                parts[pod] = [];
                log($"copies in the memory of pod {pod} are not used: {e.Message}");
            }
        });
        return ReplicaCheckpoint.Of(_runId, parts.Select((held, pod) => (pod, held)));
    }

    /// <summary>Its shards by ranges of their bytes, from this pod's memory where they are there.</summary>
    public ICheckpointFiles FilesOf(ReplicaCheckpoint replica) => new Files(this, replica);

    /// <summary>Rank 0's steps as that rank wrote them.</summary>
    /// <exception cref="CheckpointException">No pod that has them answers.</exception>
    public byte[] ReadHistory(ReplicaCheckpoint replica)
    {
        var name = ReplicaFolder.NameOf(replica.Manifest.Step, replica.History ?? throw new CheckpointException("no steps were kept"));
        return Try(replica.Holders[0], 0, (pod, _) => _pods[pod].ReadAll(name));
    }

    public void Dispose()
    {
        Own.Dispose();
        foreach (var pod in _pods)
        {
            pod.Dispose();
        }
    }

    /// <summary>From the first of the pods that gives it.</summary>
    private static T Try<TState, T>(IReadOnlyList<int> pods, TState state, Func<int, TState, T> read)
        where TState : allows ref struct
    {
        foreach (var pod in pods.SkipLast(1))
        {
            try
            {
                return read(pod, state);
            }
            catch (CheckpointException)
            {
                // Another has it too.
            }
        }

        return read(pods[^1], state);
    }

    private sealed class Files(ReplicaRing ring, ReplicaCheckpoint replica) : ICheckpointFiles
    {
        private readonly Dictionary<string, IReadOnlyList<int>> _holders = replica.Manifest.Shards.Zip(replica.Holders)
            .SelectMany(held => ReplicaPart.FilesOf(held.First).Select(file => (file, held.Second))).ToDictionary(StringComparer.Ordinal);

        public void Read(long step, string file, long first, Span<byte> into)
        {
            var (name, pods) = (ReplicaFolder.NameOf(step, file), _holders[file]);
            if (pods.Contains(ring._pod))
            {
                ring.Own.Read(name, first, into);
                return;
            }

            _ = Try(pods, into, (pod, memory) =>
            {
                ring._pods[pod].Read(name, first, memory);
                return true;
            });
        }
    }
}

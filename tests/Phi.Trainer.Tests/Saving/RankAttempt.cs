using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Tests.Saving;

/// <summary>One attempt of a small job, each rank a process of its own.</summary>
internal sealed class RankAttempt : IDisposable
{
    private readonly List<Process> _ranks = [];
    private readonly List<Task<List<RankEvent>>> _events = [];
    private readonly ConcurrentQueue<string> _said = [];
    private readonly ConcurrentQueue<(int Rank, RankEvent Event)> _told = [];

    /// <param name="stopping">The rank that stands still at the point.</param>
    /// <param name="blobs">Where the checkpoints lie; null: in the root's folder "run".</param>
    public RankAttempt(string root, int attempt, int world, long steps, int stopping = -1, SavePoint point = SavePoint.None, long step = 0, BlobTarget? blobs = null)
        : this(root, attempt, Spec(root, world, steps), [null], stopping, point, step, blobs)
    {
    }

    /// <param name="pods">As many ranks in each, and its copies; null: it keeps none.</param>
    /// <param name="keyless">The pod that was given no key for the others' copies.</param>
    public RankAttempt(string root, int attempt, TrainingJobSpec spec, IReadOnlyList<ReplicaStart?> pods, int stopping = -1, SavePoint point = SavePoint.None, long step = 0, BlobTarget? blobs = null, int keyless = -1)
    {
        var master = FreeEndPoint.Next();
        var (local, world) = (spec.Accelerator!.PerReplica!.Value, spec.Accelerator.PerReplica.Value * pods.Count);
        var start = RankStarts.Of(0, world, attempt);
        start = start with { Assignment = start.Assignment with { Spec = spec, Replicas = pods.Count, LocalWorldSize = local, MasterAddress = master.Address.ToString(), MasterPort = master.Port }, CheckpointRoot = root, DataCache = Path.Combine(root, "cache") };
        for (var rank = 0; rank < world; rank++)
        {
            string[] arguments = [RankHost.Command, (rank == stopping ? point : SavePoint.None).ToString(), step.ToString(CultureInfo.InvariantCulture), root];
            var command = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["OMP_NUM_THREADS"] = "1", ["OMP_WAIT_POLICY"] = "PASSIVE" } };
            blobs?.AddTo(command.Environment);
            var process = Process.Start(command)!;
            var number = rank;
            process.ErrorDataReceived += (_, line) => _said.Enqueue($"rank {number}: {line.Data}");
            process.BeginErrorReadLine();
            var pod = rank / local;
            process.StandardInput.WriteLine(JsonSerializer.Serialize(start with { Rank = rank, NodeRank = pod, Replicas = pods[pod], Assignment = start.Assignment with { FirstRank = pod * local, PeerKey = pod == keyless ? null : start.Assignment.PeerKey } }, PhiJson.Options));
            process.StandardInput.Flush();
            _ranks.Add(process);
            _events.Add(ReadAsync(process, number));
        }
    }

    public int ExitCode(int rank) => _ranks[rank].ExitCode;

    /// <summary>Ends when the rank has, after its last event.</summary>
    public async Task<IReadOnlyList<RankEvent>> EventsAsync(int rank)
    {
        var events = await _events[rank];
        await _ranks[rank].WaitForExitAsync(TestContext.Current.CancellationToken);
        return events;
    }

    /// <summary>Returns when a file is there; fails if a rank ends before.</summary>
    public async Task WaitForAsync(string file)
    {
        while (!File.Exists(file))
        {
            ThrowIfEnded($"{file} was there");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What all ranks wrote to standard error so far.</summary>
    public string Said => string.Join('\n', _said);

    public void ThrowIfEnded(string before)
    {
        if (_ranks.Exists(rank => rank.HasExited))
        {
            throw Ended(before);
        }
    }

    /// <summary>Returns when a rank has told of such an event; fails if a rank ends before.</summary>
    public async Task WaitForEventAsync(Func<RankEvent, bool> isIt)
    {
        while (!HasCome())
        {
            if (_ranks.Exists(rank => rank.HasExited))
            {
                await Task.WhenAll(_events);
                if (!HasCome())
                {
                    throw Ended("the event came");
                }

                return;
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        bool HasCome() => _told.Any(told => isIt(told.Event));
    }

    /// <summary>SIGKILL.</summary>
    public void Kill(int rank) => _ranks[rank].Kill();

    public void Dispose()
    {
        foreach (var rank in _ranks)
        {
            if (!rank.HasExited)
            {
                rank.Kill();
            }

            rank.Dispose();
        }
    }

    private InvalidOperationException Ended(string before)
    {
        var ended = _ranks.First(rank => rank.HasExited);
        // Its last words may still be on their way.
        ended.WaitForExit();
        return new InvalidOperationException($"rank {_ranks.IndexOf(ended)} ended with {ended.ExitCode} before {before}\n{Said}\n{string.Join('\n', _told)}");
    }

    private async Task<List<RankEvent>> ReadAsync(Process rank, int number)
    {
        var events = new List<RankEvent>();
        while (await rank.StandardOutput.ReadLineAsync() is { } line)
        {
            try
            {
                if (line.StartsWith('{'))
                {
                    events.Add(JsonSerializer.Deserialize<RankEvent>(line, PhiJson.Options)!);
                    _told.Enqueue((number, events[^1]));
                }
            }
            catch (JsonException)
            {
                // Of a rank that was killed, the last line is cut off.
            }
        }

        return events;
    }

    /// <param name="local">Ranks of a pod.</param>
    public static TrainingJobSpec Spec(string root, int local, long steps, int? batch = null, Action<TrainingJobSpec>? change = null)
    {
        var corpus = Path.Combine(root, "corpus.txt");
        if (!File.Exists(corpus))
        {
            File.WriteAllText(corpus, string.Concat(Enumerable.Range(0, 200).Select(i => $"def f{i % 17}(x): return x * {i % 5}\n")));
        }

        var spec = TrainingJobDefaults.Apply(new TrainingJob
        {
            Spec = new TrainingJobSpec
            {
                Accelerator = new AcceleratorSpec { PerReplica = local },
                Phi = new PhiSpec
                {
                    Model = new ModelSpec { Layers = 1, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, SequenceLength = 24 },
                    Data = new DataSpec { Sources = [corpus] },
                    Batch = new BatchSpec { Global = batch ?? local, Micro = 1 },
                    Steps = steps,
                },
                Checkpoint = new CheckpointSpec { EverySteps = 2, KeepLast = 1, Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } } },
            },
        }).Spec;
        change?.Invoke(spec);
        return spec;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;

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
    {
        var master = FreeEndPoint.Next();
        var start = RankStarts.Of(0, world, attempt);
        start = start with { Assignment = start.Assignment with { Spec = Spec(root, world, steps), MasterAddress = master.Address.ToString(), MasterPort = master.Port }, CheckpointRoot = root, DataCache = Path.Combine(root, "cache") };
        for (var rank = 0; rank < world; rank++)
        {
            string[] arguments = [RankHost.Command, (rank == stopping ? point : SavePoint.None).ToString(), step.ToString(CultureInfo.InvariantCulture), root];
            var command = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["OMP_NUM_THREADS"] = "1", ["OMP_WAIT_POLICY"] = "PASSIVE" } };
            blobs?.AddTo(command.Environment);
            var process = Process.Start(command)!;
            var number = rank;
            process.ErrorDataReceived += (_, line) => _said.Enqueue($"rank {number}: {line.Data}");
            process.BeginErrorReadLine();
            process.StandardInput.WriteLine(JsonSerializer.Serialize(start with { Rank = rank }, PhiJson.Options));
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
            if (_ranks.Find(rank => rank.HasExited) is { } ended)
            {
                await ended.WaitForExitAsync(TestContext.Current.CancellationToken);
                throw new InvalidOperationException($"rank {_ranks.IndexOf(ended)} ended with {ended.ExitCode} before {file} was there\n{string.Join('\n', _said)}");
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns when a rank has told of such an event; fails if a rank ends before.</summary>
    public async Task WaitForEventAsync(Func<RankEvent, bool> isIt)
    {
        while (!_told.Any(told => isIt(told.Event)))
        {
            if (_ranks.Find(rank => rank.HasExited) is { } ended)
            {
                await Task.WhenAll(_events);
                throw new InvalidOperationException($"rank {_ranks.IndexOf(ended)} ended with {ended.ExitCode} before the event came\n{string.Join('\n', _said)}\n{string.Join('\n', _told)}");
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
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

    private static TrainingJobSpec Spec(string root, int world, long steps)
    {
        var corpus = Path.Combine(root, "corpus.txt");
        if (!File.Exists(corpus))
        {
            File.WriteAllText(corpus, string.Concat(Enumerable.Range(0, 200).Select(i => $"def f{i % 17}(x): return x * {i % 5}\n")));
        }

        return TrainingJobDefaults.Apply(new TrainingJob
        {
            Spec = new TrainingJobSpec
            {
                Accelerator = new AcceleratorSpec { PerReplica = world },
                Phi = new PhiSpec
                {
                    Model = new ModelSpec { Layers = 1, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, SequenceLength = 24 },
                    Data = new DataSpec { Sources = [corpus] },
                    Batch = new BatchSpec { Global = world, Micro = 1 },
                    Steps = steps,
                },
                Checkpoint = new CheckpointSpec { EverySteps = 2, KeepLast = 1, Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } } },
            },
        }).Spec;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Phi.Trainer.Ranks;
using Phi.Trainer.Replicas;

namespace Phi.Benchmarks.Benches;

/// <summary>The ranks of one attempt as the product runs them, but without agents and an operator.</summary>
internal sealed class TrainerRanks : IDisposable
{
    private readonly List<Process> _processes = [];
    private readonly List<Task> _ends = [];
    private readonly BlockingCollection<RankEvent?> _told = [];

    public static string PeerKey(int attempt) => string.Create(CultureInfo.InvariantCulture, $"bench {attempt}");

    /// <param name="folder">Against which a relative folder of checkpoints is resolved.</param>
    /// <param name="connectionString">Of the account of blobs; null: none is used.</param>
    /// <param name="replicas">By pod; null: it keeps no copies.</param>
    public TrainerRanks(TrainingJobSpec spec, int attempt, string folder, string? connectionString = null, Func<int, ReplicaStart?>? replicas = null, bool waitsForSaves = false)
    {
        var (port, perPod, pods) = (WorkerRun.FreePort(), spec.Accelerator!.PerReplica!.Value, spec.Replicas!.Value);
        for (var rank = 0; rank < perPod * pods; rank++)
        {
            var pod = rank / perPod;
            var start = new RankStart
            {
                Assignment = new Assignment { Attempt = attempt, WorldSize = perPod * pods, Replicas = pods, LocalWorldSize = perPod, FirstRank = pod * perPod, MasterAddress = "127.0.0.1", MasterPort = port, PeerKey = PeerKey(attempt), Spec = spec },
                RunId = "bench",
                Rank = rank,
                NodeRank = pod,
                BindAddress = "127.0.0.1",
                CheckpointRoot = folder,
                DataCache = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"phi-bench-data-{Environment.UserName}")),
                Replicas = replicas?.Invoke(pod),
            };
            _processes.Add(Start(start, connectionString, waitsForSaves));
            _ends.Add(FollowAsync(_processes[^1], isFirst: rank == 0));
        }
    }

    /// <summary>Rank 0's next event of the kind.</summary>
    /// <exception cref="BenchException">It ended without.</exception>
    public async Task<RankEvent> WaitAsync(Func<RankEvent, bool> isMeant)
    {
        while (await Task.Run(_told.Take) is { } told)
        {
            if (isMeant(told))
            {
                return told;
            }
        }

        await Task.WhenAll(_ends);
        throw new BenchException($"ranks ended with exit codes {string.Join(", ", _processes.Select(process => process.ExitCode))} before what was waited for");
    }

    /// <summary>The rest of rank 0's events, when every rank has completed the job.</summary>
    /// <exception cref="BenchException">A rank has not.</exception>
    public async Task<IReadOnlyList<RankEvent>> CompleteAsync()
    {
        await Task.WhenAll(_ends);
        return _processes.TrueForAll(process => process.ExitCode == RankExitCodes.Completed)
            ? [.. _told.OfType<RankEvent>()]
            : throw new BenchException($"ranks ended with exit codes {string.Join(", ", _processes.Select(process => process.ExitCode))}");
    }

    /// <summary>Kills those that still run.</summary>
    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        Task.WaitAll(_ends);
        _processes.ForEach(process => process.Dispose());
        _told.Dispose();
    }

    private static Process Start(RankStart start, string? connectionString, bool waitsForSaves)
    {
        string[] arguments = waitsForSaves ? ["rank", "--wait-for-saves"] : ["rank"];
        var info = new ProcessStartInfo(Executables.Required(Executables.Trainer), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["OMP_NUM_THREADS"] = "1", ["OMP_WAIT_POLICY"] = "PASSIVE" } };
        if (connectionString is not null)
        {
            info.Environment[PhiEnvironment.AzureStorageConnectionString] = connectionString;
        }

        var process = Process.Start(info)!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(start, PhiJson.Options));
        process.StandardInput.Flush();
        return process;
    }

    /// <param name="isFirst">The events of the first rank are heard.</param>
    private async Task FollowAsync(Process rank, bool isFirst)
    {
        while (await rank.StandardOutput.ReadLineAsync() is { } line)
        {
            if (isFirst && line.StartsWith('{') && line.EndsWith('}'))
            {
                _told.Add(JsonSerializer.Deserialize<RankEvent>(line, PhiJson.Options));
            }
        }

        await rank.WaitForExitAsync();
        if (isFirst)
        {
            _told.Add(null);
        }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>The folder of the checkpoints is a small file system of its own (tmpfs), which the test fills. Mounting needs root.</summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private const string Job = "full";
    private PhiCluster _cluster = null!;

    private string Ballast => Path.Combine(_cluster.Checkpoints, "ballast");

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        Directory.CreateDirectory(_cluster.Checkpoints);
        var mounted = await CommandResult.RunAsync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", _cluster.Checkpoints], _cluster.Work, input: null);
        Assert.True(mounted.ExitCode == 0, $"{mounted}\nThis test mounts a file system of 8 MiB: run it as root, or in a namespace of its own (unshare --user --map-root-user --mount)");
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DownAsync();
        await CommandResult.RunAsync("umount", ["--lazy", _cluster.Checkpoints], "/", input: null);
        await _cluster.DisposeAsync();
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Job_WhoseCheckpointsFindNoRoom_TrainsOnSaysSoAndSavesAgainOnceThereIs()
    {
        // More steps than any machine takes meanwhile.
        await _cluster.ApplyAsync(Manifests.Tiny(Job, Manifests.WriteCorpus(_cluster.Work), steps: 1_000_000, everySteps: 50));
        await _cluster.WaitForAsync(Job, job => (long?)job["status"]?["checkpoint"]?["step"] > 0, "checkpoint");

        var full = await _cluster.WaitForAsync(Job, job => Fill() && Missed(job) is not null, "missed checkpoint");

        var (missed, problem) = (Missed(full)!.Value, full["status"]!["checkpoint"]!["missed"]!);
        Assert.Equal("StorageFailed", (string?)problem["reason"]);
        Assert.Contains("no space is left", (string)problem["message"]!, StringComparison.Ordinal);
        Assert.Contains("make room, or save to another folder", (string)problem["message"]!, StringComparison.Ordinal);
        await _cluster.WaitForEventAsync(Job, "CheckpointMissed: ", "is not saved: ", "make room");
        var trained = await _cluster.WaitForStepAsync(Job, missed + 100);
        Assert.Equal(1, (int)trained["status"]!["attempt"]!);
        // A save is under way now and then; between two of them nothing is left of those that failed.
        await _cluster.WaitForAsync(Job, _ => Unfinished() == 0, "moment without an unfinished file");

        File.Delete(Ballast);
        var saved = await _cluster.WaitForAsync(Job, job => (long?)job["status"]?["checkpoint"]?["step"] > Missed(job), "checkpoint once there is room");
        TrainingProcesses.KillARank(_cluster.Home);
        await _cluster.WaitForAsync(Job, job => (int?)job["status"]?["attempt"] == 2 && (string?)job["status"]?["phase"] == "Running", "second attempt");
        await _cluster.WaitForAsync(Job, job => (long?)job["status"]?["checkpoint"]?["step"] > (long)saved["status"]!["checkpoint"]!["step"]!, "next checkpoint");
        var log = (await _cluster.KubectlAsync("logs", $"{Job}-0")).Output;
        var line = log.Split('\n').First(line => line.Contains("attempt 2: training from step ", StringComparison.Ordinal));
        Assert.True(long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture) >= (long)saved["status"]!["checkpoint"]!["step"]!, line);
    }

    /// <summary>Again and again: a commit in flight makes room by what it no longer keeps.</summary>
    private bool Fill()
    {
        try
        {
            using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            while (true)
            {
                file.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Temporary files, and shards of steps that are not committed.</summary>
    private int Unfinished() => Directory.GetFiles(_cluster.Checkpoints, "*", SearchOption.AllDirectories)
        .Count(file => file.EndsWith(".tmp", StringComparison.Ordinal) || (Path.GetFileName(file).StartsWith("shard-", StringComparison.Ordinal) && !File.Exists(Path.Combine(Path.GetDirectoryName(file)!, "manifest.json"))));

    private static long? Missed(JsonNode job) => (long?)job["status"]?["checkpoint"]?["missed"]?["step"];
}

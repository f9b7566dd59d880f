using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>The newest checkpoint of a suspended job is damaged: the job goes on from the one before, and its status and events say so.</summary>
public sealed class DamagedCheckpointTests : IAsyncLifetime
{
    private const string Job = "damaged";
    private PhiCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await PhiCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Job_WhoseNewestCheckpointIsDamaged_GoesOnFromTheNewestGoodOneAndSaysSo()
    {
        // More steps than any machine takes meanwhile.
        await _cluster.ApplyAsync(Manifests.Tiny(Job, Manifests.WriteCorpus(_cluster.Work), steps: 1_000_000, everySteps: 20));
        (string File, Action<string> Damage, string Says)[] cases =
        [
            ("shard-00002-*.safetensors", Flip, "is damaged"),
            ("manifest.json", Flip, "manifest.json"),
            ("shard-00001-*.safetensors", CutOff, "shard-00001-of-00004"),
            ("shard-00003-*.safetensors", File.Delete, "there is no such file"),
        ];
        foreach (var (index, (file, damage, says)) in cases.Index())
        {
            var (newest, before, trained) = await SuspendAsync(committed: index + 1);
            damage(Directory.GetFiles(newest, file).Single());

            await PatchAsync(suspend: false);
            var job = await _cluster.WaitForAsync(Job, job => Step(job, "skipped") == StepOf(newest) && (long?)job["status"]?["progress"]?["step"] > trained, "skipped checkpoint and training beyond where it was suspended");

            var skipped = job["status"]!["checkpoint"]!["skipped"]!;
            Assert.Equal("Damaged", (string?)skipped["reason"]);
            Assert.Contains(says, (string)skipped["message"]!, StringComparison.Ordinal);
            var attempt = (int)job["status"]!["attempt"]!;
            // Of a pod that suspension made anew, under another name.
            var log = (await _cluster.KubectlAsync("logs", "--selector", $"phi-orchestrator.io/job-name={Job},phi-orchestrator.io/replica-index=0", "--tail=-1")).Output;
            Assert.Contains($"attempt {attempt}: training from step {StepOf(before)}\n", log, StringComparison.Ordinal);
            await _cluster.WaitForEventAsync(Job, $"CheckpointSkipped: attempt {attempt} does not continue from the checkpoint of step {StepOf(newest)}, but from the newest good one before: ", says);
        }
    }

    /// <summary>Suspends the job when it has at least so many checkpoints more than it began with; the folders of its two newest then, and its last step.</summary>
    private async Task<(string Newest, string Before, long Trained)> SuspendAsync(int committed)
    {
        await _cluster.WaitForAsync(Job, job => Step(job, "skipped") is not { } skipped || (long?)job["status"]?["checkpoint"]?["step"] > skipped + 40, "checkpoints behind the one skipped");
        await _cluster.WaitForAsync(Job, job => (int?)job["status"]?["checkpoint"]?["count"] > committed, "two checkpoints");
        await PatchAsync(suspend: true);
        var suspended = await _cluster.WaitForAsync(Job, job => (string?)job["status"]?["phase"] == "Suspended" && TrainingProcesses.Of(_cluster.Home).Count == 0, "suspended");
        var steps = Directory.GetFiles(_cluster.Checkpoints, "manifest.json", SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!).OrderDescending(StringComparer.Ordinal).ToList();
        return (steps[0], steps[1], (long)suspended["status"]!["progress"]!["step"]!);
    }

    private async Task PatchAsync(bool suspend)
    {
        var patched = await _cluster.KubectlAsync("patch", "tj", Job, "--type=merge", "-p", $"{{\"spec\":{{\"suspend\":{(suspend ? "true" : "false")}}}}}");
        Assert.True(patched.ExitCode == 0, patched.ToString());
    }

    private static long? Step(JsonNode job, string problem) => (long?)job["status"]?["checkpoint"]?[problem]?["step"];

    private static long StepOf(string folder) => long.Parse(Path.GetFileName(folder)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static void Flip(string path)
    {
        var content = File.ReadAllBytes(path);
        content[content.Length / 2] ^= 0x40;
        File.WriteAllBytes(path, content);
    }

    private static void CutOff(string path)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(file.Length / 2);
    }
}

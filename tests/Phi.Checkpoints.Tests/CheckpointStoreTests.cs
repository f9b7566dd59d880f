using System.Text.Json;
using CsCheck;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>A checkpoint exists whole or not at all, and a damaged one is never loaded.</summary>
public sealed class CheckpointStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi checkpoints ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Whichever bit it is: the checkpoint is damaged, never one of another model or another run.</summary>
    [Fact]
    public void ReadManifest_AnyByteOfItChanged_IsDamagedOrSaysTheSame()
    {
        var store = CheckpointStore.InFolder(_root);
        var written = Save(store, 10, [[1f, 2f]]);
        var path = Path.Combine(store.UriOf(10).LocalPath, "manifest.json");
        var content = File.ReadAllBytes(path);
        for (var at = 0; at < content.Length; at++)
        {
            File.WriteAllBytes(path, [.. content[..at], (byte)(content[at] ^ 1 << (at % 7)), .. content[(at + 1)..]]);
            try
            {
                // The name of the digest itself.
                Assert.Equal(JsonSerializer.Serialize(written), JsonSerializer.Serialize(store.ReadManifest(10)));
            }
            catch (CheckpointException e)
            {
                Assert.Contains("manifest.json", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void SaveThenLoad_AnyValuesIncludingNaN_IsTheIdentity() =>
        Gen.Int.Select(BitConverter.Int32BitsToSingle).Array[0, 3000].Array[1, 3].Sample(tensors =>
        {
            var store = CheckpointStore.InFolder(Path.Combine(_root, Guid.NewGuid().ToString("N")));
            var shard = Write(store, 3, tensors);
            var read = Read(store, 3, shard, tensors);
            Assert.Equal(tensors.Select(Bits), read.Select(Bits));
        }, iter: 50);

    [Fact]
    public void CommittedSteps_ShardsWithoutManifest_AreNoCheckpoint()
    {
        var store = CheckpointStore.InFolder(_root);
        Write(store, 10, [[1f]]);

        Assert.Empty(store.CommittedSteps());
        Assert.Null(store.NewestGood((_, _) => { }));
    }

    [Fact]
    public void WriteFile_BeforeTheCommit_LiesBesideTheShardsAndLeavesWithThem()
    {
        var store = CheckpointStore.InFolder(_root);
        store.WriteFile(10, "tokenizer.json", "old"u8);
        store.WriteFile(10, "tokenizer.json", "new"u8);
        Save(store, 10, [[1f]]);

        Assert.Equal("new", File.ReadAllText(Path.Combine(store.UriOf(10).LocalPath, "tokenizer.json")));
        Assert.DoesNotContain(Directory.GetFiles(store.UriOf(10).LocalPath), file => file.EndsWith(".tmp", StringComparison.Ordinal));
        Save(store, 20, [[1f]]);
        store.Retain(new RetentionPolicy { KeepLast = 1 });
        Assert.False(Directory.Exists(store.UriOf(10).LocalPath));
    }

    [Fact]
    public void ReadManifest_ThatCannotBeRead_NamesIt()
    {
        // A folder is refused as a file without permission is, for root too.
        var store = CheckpointStore.InFolder(_root);
        Directory.CreateDirectory(Path.Combine(store.UriOf(10).LocalPath, "manifest.json"));

        Assert.Contains("manifest.json cannot be read", Assert.Throws<CheckpointException>(() => store.ReadManifest(10)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commit_StepThatIsCommitted_LosesAndLeavesTheFirst()
    {
        var store = CheckpointStore.InFolder(_root);
        var manifest = Save(store, 10, [[1f, 2f]]);

        Assert.False(store.Commit(manifest with { Attempt = 7 }));
        Assert.Equal(1, store.ReadManifest(10).Attempt);
        Assert.DoesNotContain(Directory.GetFiles(store.UriOf(10).LocalPath), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("flipped", "SHA-256")]
    [InlineData("truncated", "bytes; its manifest says")]
    [InlineData("missing", "cannot be read")]
    [InlineData("manifest", "cannot be read")]
    public void NewestGood_NewestIsDamaged_FallsBackAndSaysWhy(string damage, string expected)
    {
        var store = CheckpointStore.InFolder(_root);
        Save(store, 10, [[1f, 2f]]);
        var newest = Save(store, 20, [[3f, 4f]]);
        Damage(damage, Path.Combine(store.UriOf(20).LocalPath, newest.Shards[0].File), Path.Combine(store.UriOf(20).LocalPath, "manifest.json"));
        var bad = new List<(long Step, string Message)>();

        var good = store.NewestGood((step, e) => bad.Add((step, e.Message)));

        Assert.Equal(10, good!.Step);
        var report = Assert.Single(bad);
        Assert.Equal(20, report.Step);
        Assert.Contains(expected, report.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TensorOfAnotherLength_NamesIt()
    {
        var store = CheckpointStore.InFolder(_root);
        var shard = Write(store, 1, [[1f, 2f]]);

        var error = Assert.Throws<CheckpointException>(() => Read(store, 1, shard, [[0f, 0f, 0f]]));

        Assert.Contains("tensor-0 has 8 bytes of F32; 12 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retain_KeepLast_RemovesTheOldestAndNeverTheNewest()
    {
        var store = CheckpointStore.InFolder(_root);
        foreach (var step in new long[] { 5, 10, 15, 20 })
        {
            Save(store, step, [[step]]);
        }

        store.Retain(new RetentionPolicy { KeepLast = 2 });

        Assert.Equal([20, 15], store.CommittedSteps());
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Retain(new RetentionPolicy { KeepLast = 0 }));
    }

    private static CheckpointManifest Save(CheckpointStore store, long step, float[][] tensors)
    {
        var manifest = new CheckpointManifest
        {
            Step = step, RunId = "run", Attempt = 1, Seed = 1, WorldSize = 1, Time = DateTimeOffset.UnixEpoch, Units = [], Shards = [Write(store, step, tensors)],
        };
        Assert.True(store.Commit(manifest));
        return manifest;
    }

    private static void Damage(string how, string shard, string manifest)
    {
        switch (how)
        {
            case "flipped":
                var bytes = File.ReadAllBytes(shard);
                bytes[^1] ^= 1;
                File.WriteAllBytes(shard, bytes);
                break;
            case "truncated":
                File.WriteAllBytes(shard, File.ReadAllBytes(shard)[..^3]);
                break;
            case "missing":
                File.Delete(shard);
                break;
            default:
                File.WriteAllText(manifest, "{\"format\":1");
                break;
        }
    }

    private static ShardEntry Write(CheckpointStore store, long step, float[][] tensors) =>
        Pinned.With(tensors, shard => store.WriteShard(step, 1, 0, 1, shard));

    private static float[][] Read(CheckpointStore store, long step, ShardEntry shard, float[][] like)
    {
        float[][] read = [.. like.Select(values => new float[values.Length])];
        Pinned.With(read, into =>
        {
            var reader = new ShardReader(store, step, shard);
            foreach (var tensor in into)
            {
                reader.Read(tensor);
            }

            return 0;
        });
        return read;
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}

using System.Text;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests.Contract;

/// <summary>What every storage of checkpoints does; each of them runs it.</summary>
public abstract class StorageContract
{
    /// <summary>Opens a root that is empty but for what was put there under this name.</summary>
    /// <param name="blockBytes">Into which it cuts files, if it does.</param>
    protected abstract ICheckpointStorage Open(string root, int blockBytes = 1 << 16);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(10 * 1024)]
    [InlineData(25 * 1024 + 3)]
    public void Write_FilesAroundTheSizeOfABlock_AreReadBack(int bytes)
    {
        using var storage = Open("a", 1024);
        var content = Bytes(bytes);

        storage.Write("step-00000001/file", stream =>
        {
            for (var at = 0; at < bytes; at += 700)
            {
                stream.Write(content.AsSpan(at, Math.Min(700, bytes - at)));
            }
        }, CancellationToken.None);

        var whole = new byte[bytes];
        storage.Read("step-00000001/file", 0, whole);
        Assert.Equal(content, whole);
        Assert.Equal(bytes, storage.Find("step-00000001/file")!.Bytes);
        if (bytes > 500)
        {
            var part = new byte[bytes - 500];
            storage.Read("step-00000001/file", 250, part);
            Assert.Equal(content[250..^250], part);
        }
    }

    [Fact]
    public void Write_ThatFailsInTheMiddle_LeavesWhatWasThere()
    {
        using var storage = Open("a", 1024);
        Put(storage, "old", "old");
        foreach (var name in new[] { "old", "new" })
        {
            Assert.Throws<InvalidOperationException>(() => storage.Write(name, stream =>
            {
                stream.Write(Bytes(5000));
                throw new InvalidOperationException("the writer fails");
            }, CancellationToken.None));
        }

        Assert.Equal(["old"], Names(storage, ""));
        Assert.Equal("old", Get(storage, "old"));
        Assert.Null(storage.Find("new"));
        Put(storage, "new", "whole");
        Assert.Equal("whole", Get(storage, "new"));
    }

    [Fact]
    public void Write_Cancelled_LeavesNothing()
    {
        using var storage = Open("a", 1024);
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => storage.Write("file", stream =>
        {
            stream.Write(Bytes(3000));
            stop.Cancel();
            stop.Token.ThrowIfCancellationRequested();
        }, stop.Token));

        Assert.Empty(storage.List(""));
    }

    [Fact]
    public void Read_MissingOrBeyondTheEnd_IsOfTheCheckpointAndNamesTheFile()
    {
        using var storage = Open("a", 1024);
        storage.Write("step-00000001/file", stream => stream.Write(Bytes(4000)), CancellationToken.None);

        Assert.Contains("step-00000001/none cannot be read: there is no such file", Assert.Throws<CheckpointException>(() => storage.Read("step-00000001/none", 0, new byte[1])).Message, StringComparison.Ordinal);
        foreach (var (first, count) in new[] { (3999, 2), (4000, 1), (9000, 1), (0, 4001) })
        {
            Assert.Contains("is cut off", Assert.Throws<CheckpointException>(() => storage.Read("step-00000001/file", first, new byte[count])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_ByManyThreads_GetsEachItsOwn()
    {
        using var storage = Open("a", 1024);
        var content = Bytes(64 * 1024);
        storage.Write("file", stream => stream.Write(content), CancellationToken.None);

        Parallel.For(0, 32, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index =>
        {
            var part = new byte[4000];
            storage.Read("file", index * 1900, part);
            Assert.Equal(content[(index * 1900)..(index * 1900 + 4000)], part);
        });
    }

    [Fact]
    public void List_Prefix_HasTheWholeNamesInTheirOrder()
    {
        using var storage = Open("a");
        foreach (var name in new[] { "step-00000010/b", "step-00000010/a", "step-00000100/a", "step-00000010x/a", "other", "attempts-of-others" })
        {
            Put(storage, name, name);
        }

        Assert.Equal(["step-00000010/a", "step-00000010/b", "step-00000010x/a", "step-00000100/a"], Names(storage, "step-"));
        Assert.Equal(["step-00000010/a", "step-00000010/b"], Names(storage, "step-00000010/"));
        Assert.Empty(Names(storage, "none/"));
        Assert.Equal(15, storage.List("step-00000010/")[0].Bytes);
    }

    [Fact]
    public void Delete_FileAndFolder_LeaveTheirNeighbours()
    {
        using var storage = Open("a");
        foreach (var name in new[] { "step-00000010/a", "step-00000010/b", "step-00000010/in/c", "step-00000010x/a", "step-00000020/a" })
        {
            Put(storage, name, name);
        }

        storage.Delete("step-00000010/a");
        storage.Delete("step-00000010/a");
        Assert.Null(storage.Find("step-00000010/a"));
        storage.DeleteFolder("step-00000010");
        storage.DeleteFolder("step-00000010");
        storage.DeleteFolder("none");

        Assert.Equal(["step-00000010x/a", "step-00000020/a"], Names(storage, ""));
    }

    [Theory]
    [InlineData("../out")]
    [InlineData("a/../../out")]
    [InlineData("/rooted")]
    public void Find_NameOutsideTheRoot_IsRefused(string name)
    {
        using var storage = Open("a");
        Assert.Throws<CheckpointException>(() => storage.Find(name));
    }

    [Fact]
    public void UriOf_AnyFile_IsBelowTheRoots()
    {
        using var storage = Open("a");
        Assert.StartsWith(storage.UriOf("").AbsoluteUri.TrimEnd('/') + "/step-00000010", storage.UriOf("step-00000010").AbsoluteUri, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_StorageThatWorks_LeavesNothing()
    {
        using var storage = Open("a");
        StorageProbe.Run(storage, "run-1-0");
        Assert.Empty(storage.List(""));
    }

    [Fact]
    public void Begin_UncommittedStep_IsStillNoCheckpointAndCanBeRemoved()
    {
        using var store = new CheckpointStore(Open("a"));
        Save(store, 10, "first");
        store.WriteFile(20, "shard", "values"u8);
        store.Begin("run", 2);

        Assert.Equal([10], store.CommittedSteps());
        Assert.Throws<CheckpointException>(() => store.ReadManifest(20));
        Assert.True(Save(store, 20, "second", 2));
        store.Remove(20);
        using var storage = Open("a");
        Assert.DoesNotContain(storage.List("step-"), file => file.Name.StartsWith("step-00000020", StringComparison.Ordinal));
    }

    [Fact]
    public void Commit_DamagedManifests_AreSetAsideAndTheStepsAreNoneAnyMore()
    {
        using var storage = Open("a");
        using var store = new CheckpointStore(storage);
        Put(storage, "step-00000010/manifest.json", "{\"format\":1");
        Put(storage, "step-00000020/manifest.json", "{");
        Put(storage, "step-00000010/shard", "values");

        Assert.False(Save(store, 10, "again"));
        Assert.True(Save(store, 10, "again", 1, [10, 20]));

        Assert.Equal([10], store.CommittedSteps());
        Assert.Equal("again", store.ReadManifest(10).Data);
        Assert.Equal(("{\"format\":1", "{"), (Get(storage, "step-00000010/manifest.damaged.json"), Get(storage, "step-00000020/manifest.damaged.json")));
    }

    [Fact]
    public void Commit_RunsThatShareARoot_AreFencedEachByItselfAndTheFirstManifestOfAStepStays()
    {
        using var store = new CheckpointStore(Open("a"));
        store.Begin("run", 5);
        store.Begin("another", 1);

        Assert.True(store.Commit(Manifest(10, "another", 1, "theirs")));
        Assert.False(store.Commit(Manifest(10, "run", 5, "mine")));
        Assert.True(store.Commit(Manifest(20, "run", 5, "mine")));
        Assert.Equal("theirs", store.ReadManifest(10).Data);
        Assert.Equal([20, 10], store.CommittedSteps());
    }

    [Theory]
    [InlineData("flipped", "SHA-256")]
    [InlineData("truncated", "bytes; its manifest says")]
    [InlineData("missing", "cannot be read")]
    public void NewestGood_NewestIsDamaged_FallsBackAndSaysWhy(string damage, string expected)
    {
        using var storage = Open("a", 1024);
        using var store = new CheckpointStore(storage);
        float[][] values = [[.. Enumerable.Range(0, 2000).Select(number => (float)number)]];
        foreach (var step in new[] { 10, 20 })
        {
            var shard = Pinned.With(values, tensors => store.WriteShard(step, 1, 0, 1, tensors));
            Assert.True(store.Commit(Manifest(step, "run", 1, null) with { WorldSize = 1, Shards = [shard] }));
        }

        Damage(storage, $"step-00000020/{store.ReadManifest(20).Shards[0].File}", damage);
        var bad = new List<(long Step, string Message)>();

        Assert.Equal(10, store.NewestGood((step, e) => bad.Add((step, e.Message)))!.Step);
        Assert.Equal(20, Assert.Single(bad).Step);
        Assert.Contains(expected, bad[0].Message, StringComparison.Ordinal);
    }

    protected static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    protected static void Put(ICheckpointStorage storage, string name, string content) => storage.Write(name, stream => stream.Write(Encoding.UTF8.GetBytes(content)), CancellationToken.None);

    private static void Damage(ICheckpointStorage storage, string name, string how)
    {
        var content = new byte[storage.Find(name)!.Bytes];
        storage.Read(name, 0, content);
        content[^1] ^= 1;
        if (how == "missing")
        {
            storage.Delete(name);
            return;
        }

        storage.Write(name, stream => stream.Write(how == "flipped" ? content : content.AsSpan(0, content.Length - 3)), CancellationToken.None);
    }

    private static string Get(ICheckpointStorage storage, string name)
    {
        var content = new byte[storage.Find(name)!.Bytes];
        storage.Read(name, 0, content);
        return Encoding.UTF8.GetString(content);
    }

    private static string[] Names(ICheckpointStorage storage, string prefix) => [.. storage.List(prefix).Select(file => file.Name)];

    private static bool Save(CheckpointStore store, long step, string data, int attempt = 1, IReadOnlyCollection<long>? damaged = null)
    {
        store.WriteFile(step, "shard", "values"u8);
        return store.Commit(Manifest(step, "run", attempt, data), damaged);
    }

    private static CheckpointManifest Manifest(long step, string run, int attempt, string? data) =>
        new() { Step = step, RunId = run, Attempt = attempt, Seed = 1, WorldSize = 0, Time = DateTimeOffset.UnixEpoch, Data = data, Units = [], Shards = [] };
}

using Phi.Checkpoints.Comparison;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Transfer;

namespace Phi.Checkpoints.Tests;

/// <summary>Checkpoints copied between stores, and compared however they are cut.</summary>
public sealed class CheckpointCopyTests : IDisposable
{
    private static readonly ModelConfiguration Small = new() { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 32 };
    private readonly string _root = Directory.CreateTempSubdirectory("phi copies ").FullName;
    private readonly CheckpointStore _from;
    private readonly CheckpointStore _to;
    private readonly CheckpointManifest _manifest;

    public CheckpointCopyTests()
    {
        (_from, _to) = (CheckpointStore.InFolder(Path.Combine(_root, "from")), CheckpointStore.InFolder(Path.Combine(_root, "to")));
        _from.WriteFile(7, "vocab.json", "{}"u8);
        _manifest = new SavedRegions(Small, 1).Save(_from, 3, step: 7);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Write_ToAnEmptyStore_IsTheSameCheckpoint()
    {
        var summary = Copy();

        _to.Verify(_to.ReadManifest(7));
        Assert.Equal(Files(_from), Files(_to));
        Assert.Equal((8, summary.Bytes), (summary.Files, summary.BytesCopied));
        Assert.Equal((0, 0), (Copy().Files, Copy().BytesCopied));
    }

    [Fact]
    public void Write_AfterAnInterruptedCopy_CopiesTheRestAndWhatIsNotWhole()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => CheckpointCopy.Write(_from, _manifest, _to, new Until(_manifest.Shards[0].Bytes * 3 / 2, stop), stop.Token));
        Assert.Empty(_to.CommittedSteps());
        var half = Path.Combine(_to.UriOf(7).LocalPath, _manifest.Shards[1].File);
        File.WriteAllBytes(half, new byte[_manifest.Shards[1].Bytes]);

        var summary = Copy();

        Assert.InRange(summary.BytesCopied, _manifest.Shards[1].Bytes + _manifest.Shards[2].Bytes, summary.Bytes - _manifest.Shards[0].Bytes);
        Assert.Equal(Files(_from), Files(_to));
    }

    [Fact]
    public void Write_OfADamagedShard_CommitsNothing()
    {
        var shard = Path.Combine(_from.UriOf(7).LocalPath, _manifest.Shards[2].File);
        var bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);

        Assert.Contains("has the SHA-256", Assert.Throws<CheckpointException>(Copy).Message, StringComparison.Ordinal);
        Assert.Empty(_to.CommittedSteps());
        Assert.False(File.Exists(Path.Combine(_to.UriOf(7).LocalPath, _manifest.Shards[2].File)));
    }

    [Fact]
    public void Write_WhereAnotherCheckpointIs_LeavesItAlone()
    {
        new SavedRegions(Small, 2).Save(_to, 2, step: 7);
        var before = Files(_to);

        Assert.Contains("is another checkpoint, and is not replaced", Assert.Throws<CheckpointException>(Copy).Message, StringComparison.Ordinal);
        Assert.Equal(before, Files(_to));
    }

    [Fact]
    public void Of_TheSameStateInOtherShards_IsEqualBitForBit()
    {
        var other = new SavedRegions(Small, 1).Save(_to, 5, alignment: 2048, step: 9);

        var difference = CheckpointComparison.Of(_from, _manifest, _to, other, null, CancellationToken.None);

        Assert.True(difference.IsEqual);
        Assert.Equal(UnitLayout.Of(Small).Sum(unit => unit.Tensors.Count) * ShardLayout.Kinds.Count, difference.Tensors.Count);
        Assert.Equal([("step", "7", "9"), ("worldSize", "3", "5")], difference.Fields.Select(field => (field.Field, field.First, field.Second)));
    }

    [Fact]
    public void Of_AChangedElement_SaysWhereAndHowFar()
    {
        var (state, changed) = (new SavedRegions(Small, 1), new SavedRegions(Small, 1));
        const string Region = "layer-1.matrices.weights";
        state.Set(Region, 5, 1.5f);
        changed.Set(Region, 5, -2f);
        state.Set(Region, 6, float.NaN);
        changed.Set(Region, 6, 0);
        var (first, second) = (state.Save(_to, 4, step: 1), changed.Save(_to, 1, step: 2));

        var difference = CheckpointComparison.Of(_to, first, _to, second, null, CancellationToken.None);

        var differing = Assert.Single(difference.Tensors, tensor => !tensor.IsEqual);
        var elements = differing.Shape.Aggregate(1L, (product, size) => product * size);
        Assert.Equal(("weights", 2, 1, 3.5), (differing.Kind, differing.Differing, differing.NotFinite, differing.MaxAbsolute));
        Assert.Equal(3.5 / elements, differing.MeanAbsolute, 12);
        Assert.StartsWith("transformer.h.1.", differing.Tensor.Replace("model.layers.", "transformer.h.", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.False(difference.IsEqual);
    }

    [Fact]
    public void Of_AnotherModel_NamesTheTensorsThatOnlyOneHas()
    {
        var deeper = new SavedRegions(Small with { Layers = 3, MlpSize = 48 }, 1).Save(_to, 1, step: 7);

        var difference = CheckpointComparison.Of(_from, _manifest, _to, deeper, null, CancellationToken.None);

        Assert.NotEmpty(difference.OnlyInFirst);
        Assert.True(difference.OnlyInSecond.Count > difference.OnlyInFirst.Count);
        Assert.Contains(difference.Fields, field => (field.Field, field.First, field.Second) == ("model.layers", "2", "3"));
    }

    private CopySummary Copy() => CheckpointCopy.Write(_from, _manifest, _to, null, CancellationToken.None);

    private static Dictionary<string, string> Files(CheckpointStore store) =>
        Directory.GetFiles(store.UriOf(7).LocalPath).OrderBy(Path.GetFileName, StringComparer.Ordinal).ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(File.ReadAllBytes(file)));

    private sealed class Until(long bytes, CancellationTokenSource stop) : IProgress<HuggingFace.TransferProgress>
    {
        public void Report(HuggingFace.TransferProgress value)
        {
            if (value.Bytes >= bytes)
            {
                stop.Cancel();
            }
        }
    }
}

using CsCheck;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>What was saved at one number of ranks and zero stage is loaded at another, bit for bit, and no more is read than that takes.</summary>
public sealed class ReshardingTests : IDisposable
{
    private static readonly ModelConfiguration Small = new() { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 32 };
    private static readonly Gen<(int World, int Stage)> Worlds = Gen.Select(Gen.Int[1, 9], Gen.Int[0, 3]);
    private readonly string _root = Directory.CreateTempSubdirectory("phi resharding ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void SaveReshardLoad_AnyWorldsStagesAndBlocks_IsTheIdentity() =>
        Gen.Select(Worlds, Worlds, Gen.Int[0, 2].Select(i => 64 << (5 * i)), Gen.Bool.Select(isLarge => isLarge ? 2048L : 256L), Gen.Int).Sample((from, to, chunk, alignment, seed) =>
        {
            var store = NewStore(chunk);
            var state = new SavedRegions(Small, seed);
            var manifest = state.Save(store, SavedRegions.Shards(from.World, from.Stage));
            var places = SavedRegions.Shards(to.World, to.Stage);
            for (var place = 0; place < places; place++)
            {
                state.AssertLoads(store, store.ReadManifest(manifest.Step), place, places, alignment);
            }
        }, iter: 40, threads: 2);

    [Fact]
    public void Load_AnyWorlds_ReadsLittleMoreThanItNeeds() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9]).Sample((from, to) =>
        {
            var store = NewStore(512);
            var state = new SavedRegions(Small with { Layers = 1, HiddenSize = 64, MlpSize = 512, VocabularySize = 1000 }, 1);
            var manifest = state.Save(store, from);
            var files = new CountedFiles(store);
            state.AssertLoads(files, manifest, to / 2, to);

            var needed = Needed(ReshardPlan.Of(manifest, state.Cut(to), to / 2, to));
            Assert.InRange(files.Bytes.Where(file => file.Key.EndsWith(".safetensors", StringComparison.Ordinal)).Sum(file => file.Value), needed, 1.05 * needed);
        }, iter: 10, threads: 1);

    /// <summary>With the header, and the digests of all chunks, of every file that is touched; arithmetic alone, at the size of a real model.</summary>
    [Fact]
    public void Cover_OfARealModelAtTheDefaultChunk_IsLittleMoreThanItNeeds()
    {
        var units = UnitLayout.Of(ModelConfiguration.Of(ModelPresets.Find("phi-1-small")!));
        foreach (var (from, to) in from a in Enumerable.Range(1, 9) from b in Enumerable.Range(1, 9) select (a, b))
        {
            var saved = Cut(units, from);
            var header = Header(saved);
            var entry = new ShardEntry("", 0, "");
            var manifest = new CheckpointManifest { Step = 1, RunId = "", Attempt = 1, Seed = 1, WorldSize = from, Time = default, Units = saved, Shards = [.. Enumerable.Repeat(entry, from)] };
            var chunks = new ChunkMap(header, 1 << 16);
            for (var place = 0; place < to; place++)
            {
                var plan = ReshardPlan.Of(manifest, Cut(units, to), place, to);
                var read = plan.Ranges.Sum(range => chunks.Cover(header.Tensors[range.Tensor], range.First, range.Bytes).Bytes);
                var files = plan.Ranges.Select(range => range.Shard).Distinct().Count();
                Assert.InRange(read + files * (header.DataStart + 32 * chunks.Count), 0, 1.05 * Needed(plan));
            }
        }
    }

    [Fact]
    public void Of_AnyCuts_NeedsEveryElementOnceAndNoPadding() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 300]).Sample((length, from, to, spare) =>
        {
            UnitEntry Region(int shards, int extra) => new("u.matrices", length, (length + shards - 1) / shards + extra, [new TensorEntry("t", [length], 0)]);
            var manifest = new CheckpointManifest { Step = 1, RunId = "", Attempt = 1, Seed = 1, WorldSize = from, Time = default, Units = [Region(from, spare)], Shards = [] };
            var times = new int[length];
            for (var place = 0; place < to; place++)
            {
                foreach (var range in ReshardPlan.Of(manifest, [Region(to, 0)], place, to).Ranges.Where(range => range.Tensor == "u.matrices.weights"))
                {
                    var element = place * Region(to, 0).ShardLength + range.Into / sizeof(float);
                    Assert.Equal(element, range.Shard * Region(from, spare).ShardLength + range.First / sizeof(float));
                    for (var i = element; i < element + range.Bytes / sizeof(float); i++)
                    {
                        times[i]++;
                    }
                }
            }

            Assert.All(times, count => Assert.Equal(1, count));
        }, iter: 200);

    [Fact]
    public void Of_AnotherModel_NamesItAndTheRemedy()
    {
        var manifest = new SavedRegions(Small, 1).Save(NewStore(64), 2);

        var longer = Assert.Throws<CheckpointException>(() => ReshardPlan.Of(manifest, new SavedRegions(Small with { MlpSize = 48 }, 1).Cut(3), 0, 3));
        var deeper = Assert.Throws<CheckpointException>(() => ReshardPlan.Of(manifest, new SavedRegions(Small with { Layers = 3 }, 1).Cut(3), 0, 3));
        var damaged = Assert.Throws<CheckpointException>(() => ReshardPlan.Of(manifest with { WorldSize = 1 }, new SavedRegions(Small, 1).Cut(3), 0, 3));

        Assert.Contains("has other tensors in layer-0.matrices", longer.Message, StringComparison.Ordinal);
        Assert.Contains("has no layer-2.matrices; it is of another model: keep the model", deeper.Message, StringComparison.Ordinal);
        Assert.Contains("its manifest is damaged", damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ManifestWithoutChunks_ReadsWholeShardsAndChecksThem()
    {
        var store = NewStore(64);
        var state = new SavedRegions(Small, 3);
        var manifest = WithoutChunks(state.Save(store, 3));
        var files = new CountedFiles(store);
        for (var place = 0; place < 4; place++)
        {
            state.AssertLoads(files, manifest, place, 4);
        }

        Assert.DoesNotContain(files.Bytes.Keys, file => file.EndsWith(".chunks", StringComparison.Ordinal));
        // Any byte: here one that the first rank of four does not need.
        Flip(store, manifest.Shards[0].File, manifest.Shards[0].Bytes - 1);
        Assert.Contains("has the SHA-256", Assert.Throws<CheckpointException>(() => state.AssertLoads(store, manifest, 0, 4)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("needed", "is damaged: its bytes")]
    [InlineData("header", "is damaged: its bytes 0 to")]
    [InlineData("digests", "has the SHA-256")]
    [InlineData("cut off", "is cut off")]
    [InlineData("missing", "cannot be read")]
    public void Load_DamageInWhatItNeeds_IsFound(string what, string expected)
    {
        var store = NewStore(64);
        var state = new SavedRegions(Small, 3);
        var manifest = state.Save(store, 2);
        var shard = manifest.Shards[0];
        Damage(store, shard, what);

        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => state.AssertLoads(store, manifest, 0, 4)).Message, StringComparison.Ordinal);
        // The last of four ranks needs nothing of the first shard.
        state.AssertLoads(store, manifest, 3, 4);
    }

    private static void Damage(CheckpointStore store, ShardEntry shard, string what)
    {
        var path = Path.Combine(store.UriOf(0).LocalPath, shard.File);
        switch (what)
        {
            case "needed":
                Flip(store, shard.File, shard.Chunks!.HeaderBytes);
                break;
            case "header":
                Flip(store, shard.File, shard.Chunks!.HeaderBytes - 1);
                break;
            case "digests":
                Flip(store, shard.Chunks!.File, 40);
                break;
            case "cut off":
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..(shard.Chunks!.HeaderBytes + 100)]);
                break;
            default:
                File.Delete(path);
                break;
        }
    }

    private static void Flip(CheckpointStore store, string file, long at)
    {
        var path = Path.Combine(store.UriOf(0).LocalPath, file);
        var bytes = File.ReadAllBytes(path);
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static CheckpointManifest WithoutChunks(CheckpointManifest manifest) => manifest with { Shards = [.. manifest.Shards.Select(shard => shard with { Chunks = null })] };

    private static long Needed(ReshardPlan plan) => plan.Ranges.Sum(range => range.Bytes);

    private static List<UnitEntry> Cut(IReadOnlyList<UnitLayout> units, int shards) =>
        [.. units.SelectMany(unit => ShardLayout.Regions(unit, ShardLayout.MatrixShard(unit, shards, ShardLayout.DefaultAlignment), ShardLayout.VectorShard(unit, shards)))];

    private static SafetensorsHeader Header(List<UnitEntry> regions)
    {
        var tensors = regions.SelectMany(region => ShardLayout.Kinds.Select(kind => new StreamedTensor($"{region.Name}.{kind}", WeightType.F32, [region.ShardLength], (_, _) => { }))).ToList();
        var bytes = SafetensorsHeader.Write(tensors, new Dictionary<string, string>());
        return SafetensorsHeader.Parse(bytes.AsMemory(SafetensorsHeader.PrefixBytes), bytes.Length + tensors.Sum(tensor => tensor.Bytes), "header");
    }

    private CheckpointStore NewStore(int chunk) => new(new FolderStorage(Path.Combine(_root, Guid.NewGuid().ToString("N")))) { ChunkBytes = chunk };
}

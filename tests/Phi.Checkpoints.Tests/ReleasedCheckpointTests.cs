using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>
/// Checkpoints that released versions wrote stay loadable, at any number of ranks. <c>Released</c> has one of each format, as it was written; none is ever
/// written again. A new format adds its own: PHI_UPDATE_GOLDEN=1 writes it where there is none.
/// </summary>
public sealed class ReleasedCheckpointTests : IDisposable
{
    private const long Step = 10;
    private const int Seed = 7;
    private const long Alignment = 64;
    private static readonly string Source = Path.Combine(Repository.Root, "tests", "Phi.Checkpoints.Tests", "Released");
    private static readonly ModelConfiguration Model = new() { Layers = 1, HiddenSize = 8, Heads = 2, RotaryDim = 2, MlpSize = 16, VocabularySize = 16, SequenceLength = 8 };
    private readonly string _root = Directory.CreateTempSubdirectory("phi released ").FullName;

    public static TheoryData<string> Formats => [.. Directory.EnumerateDirectories(Source, "format-*").Select(path => Path.GetFileName(path))];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Checkpoint_OfAReleasedFormat_LoadsAtAnyNumberOfRanks(string format)
    {
        var store = Open(Copy(format));
        var manifest = store.ReadManifest(Assert.Single(store.CommittedSteps()));
        var state = new SavedRegions(Model, Seed);

        store.Verify(manifest, null, TestContext.Current.CancellationToken);
        Assert.Equal((Step, 2), (manifest.Step, manifest.WorldSize));
        Assert.Equal(Model.ToDimensions().OrderBy(one => one.Key, StringComparer.Ordinal), manifest.Model.OrderBy(one => one.Key, StringComparer.Ordinal));
        foreach (var (places, alignment) in new[] { (1, Alignment), (2, Alignment), (3, Alignment), (3, 2048L) })
        {
            for (var place = 0; place < places; place++)
            {
                state.AssertLoads(store, manifest, place, places, alignment);
            }
        }
    }

    [Fact]
    public void Formats_ThatAreReleased_AreAllThereAre() =>
        Assert.Equal(Enumerable.Range(1, CheckpointManifest.CurrentFormat).Select(format => $"format-{format}"), Formats.Select(row => row.Data).Order(StringComparer.Ordinal));

    /// <summary>A new format is released with a checkpoint of it.</summary>
    [Fact]
    public void Checkpoint_OfTodaysFormat_IsWrittenWhereThereIsNone()
    {
        var folder = Path.Combine(Source, $"format-{CheckpointManifest.CurrentFormat}");
        if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1" && !Directory.Exists(folder))
        {
            new SavedRegions(Model, Seed).Save(Open(folder), 2, Alignment, Step);
        }

        Assert.True(Directory.Exists(folder), $"{folder} is missing: PHI_UPDATE_GOLDEN=1 ./phi test Checkpoints writes it");
    }

    [Theory]
    [InlineData(99)]
    [InlineData(0)]
    public void ReadManifest_OfAnotherFormat_NamesItAndTheRemedy(int format)
    {
        var folder = Copy("format-1");
        var path = Directory.GetFiles(folder, "manifest.json", SearchOption.AllDirectories).Single();
        // Of a later format nothing but its number is known.
        File.WriteAllText(path, $$"""{"format": {{format}}, "pieces": []}""");

        var refused = Assert.Throws<CheckpointException>(() => Open(folder).ReadManifest(Step));

        Assert.True(refused.IsOtherFormat);
        Assert.Contains($"is of format {format}, and this version reads format {CheckpointManifest.CurrentFormat}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("read it with the version that wrote it", refused.Message, StringComparison.Ordinal);
    }

    private static CheckpointStore Open(string folder) => new(new FolderStorage(folder));

    /// <summary>Copied, because a store may write beside what it reads.</summary>
    private string Copy(string format)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Source, format), "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(_root, Path.GetRelativePath(Path.Combine(Source, format), file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return _root;
    }
}

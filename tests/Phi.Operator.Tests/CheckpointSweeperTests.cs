using Microsoft.Extensions.Logging.Abstractions;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Operator.Checkpoints;

namespace Phi.Operator.Tests;

/// <summary>What ended attempts never committed goes; everything else below the root stays.</summary>
public sealed class CheckpointSweeperTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi sweep ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Sweep_OfManyFolders_RemovesOldOrphansOfJobsThatDoNotRun()
    {
        var (ended, running, foreign) = (Path.Combine(_root, "default", "ended-1"), Path.Combine(_root, "default", "running-1"), Path.Combine(_root, "mine"));
        foreach (var folder in new[] { ended, running })
        {
            Begin(folder);
            Orphan(folder, 10, TimeSpan.FromHours(2));
            Orphan(folder, 20, TimeSpan.FromMinutes(1));
        }

        // No attempt has left its mark there: whoever's files they are.
        Orphan(foreign, 10, TimeSpan.FromHours(2));

        new CheckpointSweeper(_root, () => [running + "/"], NullLogger.Instance).Sweep(TestContext.Current.CancellationToken);

        Assert.Equal(["step-00000020"], Steps(ended));
        Assert.Equal(["step-00000010", "step-00000020"], Steps(running));
        Assert.Equal(["step-00000010"], Steps(foreign));
    }

    [Fact]
    public void Sweep_OfNoFolder_DoesNothing() =>
        new CheckpointSweeper(Path.Combine(_root, "none"), () => [], NullLogger.Instance).Sweep(TestContext.Current.CancellationToken);

    private static IEnumerable<string?> Steps(string folder) => Directory.GetDirectories(folder, "step-*").Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static void Begin(string folder)
    {
        using var store = CheckpointStore.InFolder(folder);
        store.Begin("run", 1);
    }

    private static void Orphan(string folder, long step, TimeSpan age)
    {
        using var store = CheckpointStore.InFolder(folder);
        _ = store.WriteShard(step, 1, 0, 1, [new StreamedTensor("t", WeightType.F32, [1], (_, into) => into.Clear())], CancellationToken.None);
        foreach (var file in Directory.GetFiles(store.UriOf(step).LocalPath))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow - age);
        }
    }
}

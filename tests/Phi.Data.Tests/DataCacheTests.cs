using System.Diagnostics;
using Phi.Data.Preparation;

namespace Phi.Data.Tests;

/// <summary>Ranks of one node, and processes that die, share a cache.</summary>
public sealed class DataCacheTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public DataCacheTests() => _folder.Write("in/a.txt", string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i} ")));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_BySeveralAtOnce_PreparesOnce()
    {
        var prepared = 0;
        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => DataCache.OpenAsync(Options(), new Each(_ => Interlocked.Increment(ref prepared)), CancellationToken.None))));

        Assert.Equal(1, prepared);
        Assert.Single(Directory.GetDirectories(_folder["cache"]));
        Assert.All(opened, folder => Assert.Equal(opened[0].Training.Length, folder.Training.Length));
        Array.ForEach(opened, folder => folder.Dispose());
    }

    [Fact]
    public async Task Open_AfterASourceChanged_PreparesAnew()
    {
        (await DataCache.OpenAsync(Options(), null, CancellationToken.None)).Dispose();
        _folder.Write("in/a.txt", "changed");

        using var changed = await DataCache.OpenAsync(Options(), null, CancellationToken.None);

        Assert.Equal(8, changed.Training.Length);
        Assert.Equal(2, Directory.GetDirectories(_folder["cache"]).Length);
    }

    [Fact]
    public async Task Open_WhenTheHolderOfTheLockIsKilled_TakesOver()
    {
        var begun = await BeginAsync();
        using var holder = Process.Start(new ProcessStartInfo("flock", [Path.Combine(begun, FolderLock.FileName), "sh", "-c", "echo held; exec sleep 1000"]) { RedirectStandardOutput = true })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(Options() with { Output = begun }, null, CancellationToken.None));

        var waiting = DataCache.OpenAsync(Options(), null, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        holder.Kill(entireProcessTree: true);
        using var folder = await waiting;

        Assert.Equal(begun, Assert.Single(Directory.GetDirectories(_folder["cache"])));
        Assert.Equal(3891, folder.Training.Length);
    }

    [Fact]
    public async Task Open_CancelledWhileItWaits_Ends()
    {
        var begun = await BeginAsync();
        using var held = await FolderLock.TakeAsync(begun, wait: false, CancellationToken.None);
        using var cancel = new CancellationTokenSource();

        var waiting = DataCache.OpenAsync(Options(), null, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    /// <summary>The cache's folder after a preparation that was interrupted.</summary>
    private async Task<string> BeginAsync()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DataCache.OpenAsync(Options(), new Each(_ => throw new OperationCanceledException()), cancel.Token));
        return Assert.Single(Directory.GetDirectories(_folder["cache"]));
    }

    private PrepareOptions Options() => new() { Sources = [_folder["in"]], Output = _folder["cache"], HeldOutFraction = 0, LeastHeldOut = 0 };
}

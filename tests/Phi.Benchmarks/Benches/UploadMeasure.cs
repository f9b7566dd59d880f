using System.Diagnostics;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Phi.Azurite;
using Phi.Benchmarks.Reports;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// A shard uploaded as ranks upload it, digests and all, against the same bytes uploaded by the client library alone, in blocks of the same
/// size and as many at once. Both to an Azurite on this machine, in turns.
/// </summary>
internal static class UploadMeasure
{
    /// <summary>Of float32: 320 MB.</summary>
    private const int Elements = 80_000_000;

    public static IReadOnlyList<Metric> Run(int rounds)
    {
        using var values = new RandomTensor(Elements);
        var rates = new List<(double Shard, double Plain)>();
        for (var round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"upload, round {round + 1} of {rounds} …");
            // A new one for each round: what an older one holds on disk slows none.
            using var azurite = Start();
            Func<double>[] sides = [() => Shard(azurite, values), () => Plain(azurite, values)];
            var first = round % 2;
            var rate = new double[2];
            rate[first] = sides[first]();
            rate[1 - first] = sides[1 - first]();
            rates.Add((rate[0], rate[1]));
        }

        return
        [
            Metric.AtLeast("upload of a shard to Azurite / the same bytes by the SDK's parallel block upload", Median(rate => rate.Shard / rate.Plain), "times its speed", 0.9),
            new Metric("upload of a shard to Azurite", Median(rate => rate.Shard), "GB/s"),
            new Metric("the same bytes by the SDK's parallel block upload", Median(rate => rate.Plain), "GB/s"),
        ];

        double Median(Func<(double Shard, double Plain), double> figure) => rates.Select(figure).Order().ElementAt(rounds / 2);
    }

    private static AzuriteServer Start()
    {
        try
        {
            return new AzuriteServer();
        }
        catch (InvalidOperationException e)
        {
            throw new BenchException(e.Message);
        }
    }

    /// <summary>GB/s.</summary>
    private static unsafe double Shard(AzuriteServer azurite, RandomTensor values)
    {
        using var store = new CheckpointStore(CheckpointStorages.Open($"{azurite.NewContainer().Uri.AbsoluteUri}/run", azurite.Environment));
        ShardTensor[] tensors = [new ShardTensor("values", values.Values, Elements)];
        var started = Stopwatch.GetTimestamp();
        var entry = store.WriteShard(1, 1, 0, 1, tensors);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return entry.Bytes / seconds / 1e9;
    }

    /// <summary>GB/s.</summary>
    private static unsafe double Plain(AzuriteServer azurite, RandomTensor values)
    {
        var options = new BlobOptions();
        var blob = azurite.NewContainer().GetBlockBlobClient("shard");
        var transfer = new StorageTransferOptions { MaximumConcurrency = options.Concurrency, InitialTransferSize = options.BlockBytes, MaximumTransferSize = options.BlockBytes };
        using var content = new UnmanagedMemoryStream((byte*)values.Values, (long)Elements * sizeof(float));
        var started = Stopwatch.GetTimestamp();
        blob.UploadAsync(content, new BlobUploadOptions { TransferOptions = transfer }).GetAwaiter().GetResult();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return content.Length / seconds / 1e9;
    }
}

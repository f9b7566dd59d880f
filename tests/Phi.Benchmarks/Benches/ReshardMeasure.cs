using System.Diagnostics;
using Phi.Benchmarks.Reports;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Benchmarks.Benches;

/// <summary>A checkpoint handed on between 4, 3, 8 and 4 ranks: whether every bit arrives, how many bytes are read for that, and how fast.</summary>
internal static class ReshardMeasure
{
    private static readonly int[] Worlds = [4, 3, 8, 4];

    /// <summary>About 30 M parameters: 360 MB of weights and moments.</summary>
    private static readonly ModelConfiguration Model = new() { Layers = 8, HiddenSize = 512, Heads = 8, RotaryDim = 32, MlpSize = 2048, VocabularySize = 4096, SequenceLength = 256 };

    /// <param name="folder">An empty one.</param>
    public static IReadOnlyList<Metric> Run(string folder)
    {
        var metrics = new List<Metric>();
        using var storage = new CountingStorage(new FolderStorage(folder));
        using var store = new CheckpointStore(storage);
        var ranks = new RankShards(Model, Worlds[0]);
        ranks.Fill(1);
        var digest = ranks.Digest();
        foreach (var (step, world) in Worlds.Index().Skip(1))
        {
            var from = Worlds[step - 1];
            var manifest = ranks.Save(store, step);
            ranks.Dispose();
            ranks = new RankShards(Model, world);
            var (before, started) = (storage.BytesRead, Stopwatch.GetTimestamp());
            var needed = ranks.Load(store, manifest);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            metrics.Add(Metric.AtMost($"bytes read / bytes needed, {from} to {world} ranks", (double)(storage.BytesRead - before) / needed, "times", 1.05));
            metrics.Add(new Metric($"load and check, {from} to {world} ranks, one after the other", needed / seconds / 1e9, "GB/s"));
            metrics.Add(Metric.AtLeast($"weights and moments equal bit for bit, {from} to {world} ranks", ranks.Digest() == digest ? 1 : 0, "1 if all are", 1));
        }

        ranks.Dispose();
        return metrics;
    }
}

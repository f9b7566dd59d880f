using System.Globalization;
using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Comparison;

/// <summary>Compares two checkpoints tensor by tensor, each saved by any number of ranks, a part at a time.</summary>
public static class CheckpointComparison
{
    /// <summary>Elements: 4 MiB of each.</summary>
    private const int PartLength = 1 << 20;

    /// <exception cref="CheckpointException">A shard cannot be read, or is damaged.</exception>
    public static CheckpointDifference Of(CheckpointStore firstStore, CheckpointManifest firstManifest, CheckpointStore secondStore, CheckpointManifest secondManifest, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var (first, second) = (new SavedTensors(firstStore, firstManifest), new SavedTensors(secondStore, secondManifest));
        List<TensorEntry> shared = [.. firstManifest.Units.SelectMany(region => region.Tensors).Where(tensor => second.All.TryGetValue(tensor.Name, out var other) && other.Tensor.Shape.SequenceEqual(tensor.Shape))];
        var names = shared.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        var (done, total) = (0L, shared.Sum(Length) * sizeof(float) * ShardLayout.Kinds.Count);
        List<TensorDifference> tensors = [.. from tensor in shared from kind in ShardLayout.Kinds select Compare(tensor, kind)];
        List<string> onlyInFirst = [.. first.All.Keys.Where(name => !names.Contains(name))], onlyInSecond = [.. second.All.Keys.Where(name => !names.Contains(name))];
        return new CheckpointDifference(
            StorageNames.Describe(firstStore.UriOf(firstManifest.Step)), StorageNames.Describe(secondStore.UriOf(secondManifest.Step)),
            onlyInFirst.Count == 0 && onlyInSecond.Count == 0 && tensors.TrueForAll(tensor => tensor.IsEqual), Fields(firstManifest, secondManifest), onlyInFirst, onlyInSecond, tensors);

        TensorDifference Compare(TensorEntry tensor, string kind)
        {
            var sum = new Sum();
            var (a, b) = (new float[Math.Min(PartLength, Length(tensor))], new float[Math.Min(PartLength, Length(tensor))]);
            for (var at = 0L; at < Length(tensor); at += a.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = (int)Math.Min(a.Length, Length(tensor) - at);
                first.Read(tensor.Name, kind, at, a.AsSpan(0, count));
                second.Read(tensor.Name, kind, at, b.AsSpan(0, count));
                sum.Add(a.AsSpan(0, count), b.AsSpan(0, count));
                progress?.Report(new TransferProgress(done += count * sizeof(float), total));
            }

            return new TensorDifference(tensor.Name, kind, tensor.Shape, sum.Differing == 0, sum.Differing, sum.NotFinite, sum.Largest, Length(tensor) == 0 ? 0 : sum.Total / Length(tensor));
        }
    }

    private static long Length(TensorEntry tensor) => tensor.Shape.Aggregate(1L, (product, size) => product * size);

    private static List<FieldDifference> Fields(CheckpointManifest first, CheckpointManifest second)
    {
        var (a, b) = (Describe(first), Describe(second));
        return [.. a.Keys.Union(b.Keys, StringComparer.Ordinal).Select(name => new FieldDifference(name, a.GetValueOrDefault(name), b.GetValueOrDefault(name))).Where(field => field.First != field.Second)];
    }

    private static Dictionary<string, string> Describe(CheckpointManifest manifest)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["step"] = Text($"{manifest.Step}"),
            ["runId"] = manifest.RunId,
            ["attempt"] = Text($"{manifest.Attempt}"),
            ["seed"] = Text($"{manifest.Seed}"),
            ["worldSize"] = Text($"{manifest.WorldSize}"),
            ["time"] = Text($"{manifest.Time:O}"),
        };
        if (manifest.Data is { } data)
        {
            fields["data"] = data;
        }

        foreach (var (name, value) in manifest.Model)
        {
            fields[$"model.{name}"] = Text($"{value}");
        }

        return fields;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Differences of a tensor so far.</summary>
    private sealed class Sum
    {
        public long Differing { get; private set; }

        public long NotFinite { get; private set; }

        public double Largest { get; private set; }

        public double Total { get; private set; }

        public void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            if (MemoryMarshal.AsBytes(a).SequenceEqual(MemoryMarshal.AsBytes(b)))
            {
                return;
            }

            for (var i = 0; i < a.Length; i++)
            {
                if (BitConverter.SingleToInt32Bits(a[i]) == BitConverter.SingleToInt32Bits(b[i]))
                {
                    continue;
                }

                Differing++;
                var difference = Math.Abs((double)a[i] - b[i]);
                if (double.IsFinite(difference))
                {
                    (Largest, Total) = (Math.Max(Largest, difference), Total + difference);
                }
                else
                {
                    NotFinite++;
                }
            }
        }
    }
}

using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Weights;

/// <summary>The weights of a committed checkpoint, put together from its shards.</summary>
public sealed class CheckpointWeights : IModelWeights
{
    private readonly List<SafetensorsHeader> _shards = [];
    private readonly CheckpointStore _store;
    private readonly CheckpointManifest _manifest;
    private readonly Dictionary<string, (UnitEntry Region, TensorEntry Tensor)> _tensors;

    /// <param name="manifest">Of a checkpoint whose digests are checked: <see cref="CheckpointLocation.Find"/>.</param>
    /// <exception cref="CheckpointException">It lacks a tensor of its model, or has one of another shape.</exception>
    public CheckpointWeights(CheckpointStore store, CheckpointManifest manifest)
    {
        (_store, _manifest) = (store, manifest);
        Model = ModelConfiguration.FromDimensions(manifest.Model);
        _tensors = manifest.Units.SelectMany(region => region.Tensors.Select(tensor => (region, tensor))).ToDictionary(pair => pair.tensor.Name, StringComparer.Ordinal);
        CheckTensors(manifest.WorldSize);
        foreach (var shard in manifest.Shards)
        {
            var place = store.Describe(manifest.Step, shard.File);
            _shards.Add(SafetensorsHeader.Read((first, into) => store.Read(manifest.Step, shard.File, first, into), shard.Bytes, place));
            foreach (var region in manifest.Units)
            {
                _ = SafetensorsFile.Find(_shards[^1], NameOf(region), region.ShardLength, place);
            }
        }
    }

    public ModelConfiguration Model { get; }

    public string Location => StorageNames.Describe(_store.UriOf(_manifest.Step));

    public byte[]? TryReadFile(string name) => _store.TryReadFile(_manifest.Step, name);

    public void Read(string tensor, long first, Span<float> into)
    {
        var (region, entry) = _tensors[tensor];
        var (at, end) = (entry.Offset + first, entry.Offset + first + into.Length);
        while (at < end)
        {
            // A tensor may begin in one shard and end in another.
            var (shard, within) = Math.DivRem(at, region.ShardLength);
            var count = (int)Math.Min(end - at, region.ShardLength - within);
            var header = _shards[checked((int)shard)];
            _store.Read(_manifest.Step, _manifest.Shards[(int)shard].File, header.DataStart + header.Tensors[NameOf(region)].Start + within * sizeof(float), MemoryMarshal.AsBytes(into[^(int)(end - at)..][..count]));
            at += count;
        }
    }

    public void Dispose() => _store.Dispose();

    private void CheckTensors(int shards)
    {
        foreach (var tensor in UnitLayout.Of(Model).SelectMany(unit => unit.Tensors))
        {
            if (!_tensors.TryGetValue(tensor.Name, out var found))
            {
                throw new CheckpointException($"{Location}: its manifest has no tensor {tensor.Name}");
            }

            if (!found.Tensor.Shape.SequenceEqual(tensor.Shape))
            {
                throw new CheckpointException($"{Location}: {tensor.Name} has the shape [{string.Join(", ", found.Tensor.Shape)}]; [{string.Join(", ", tensor.Shape)}] was expected of its model");
            }

            if (found.Tensor.Offset < 0 || found.Tensor.Offset + tensor.Length > found.Region.ShardLength * shards)
            {
                throw new CheckpointException($"{Location}: {tensor.Name} begins at {found.Tensor.Offset} of {found.Region.Name}, which {shards} shards of {found.Region.ShardLength} do not hold");
            }
        }
    }

    private static string NameOf(UnitEntry region) => $"{region.Name}.{ShardLayout.Weights}";
}

using System.Runtime.InteropServices;
using Phi.Checkpoints.Layout;
using Phi.Training.Loop;

namespace Phi.Trainer.Tests;

/// <summary>Weights and moments put together from all ranks' shards without their padding, and what each rank holds besides.</summary>
internal sealed unsafe class WholeState
{
    private readonly SortedDictionary<string, float[]> _whole = new(StringComparer.Ordinal);

    /// <summary>Name, shard and bits of what is no weight and no moment; sorted.</summary>
    private readonly SortedSet<string> _rest = new(StringComparer.Ordinal);

    /// <summary>Every tensor's bits by name.</summary>
    public IEnumerable<(string Name, string Bits)> Bits => _whole.Select(tensor => (tensor.Key, Hex(tensor.Value)));

    public IEnumerable<string> LossScale => _rest.Where(line => line.StartsWith("loss_scale", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(' ') + 1)..]).Distinct();

    public IEnumerable<string> Errors => _rest.Where(line => line.Contains(".errors_", StringComparison.Ordinal));

    public bool HasErrors => Errors.Any(line => line[(line.LastIndexOf(' ') + 1)..].Any(digit => digit != '0'));

    public void Add(TrainingLoop loop)
    {
        var lengths = loop.Units.SelectMany(unit => ShardLayout.Regions(unit.Layout, unit.MatrixShard, unit.VectorShard)).ToDictionary(region => region.Name, region => region.Length);
        using var state = loop.State();
        lock (_whole)
        {
            foreach (var tensor in state.Tensors)
            {
                var values = new ReadOnlySpan<float>((float*)tensor.Values, (int)tensor.Length);
                if (!ShardLayout.IsUnitState(tensor.Name))
                {
                    _rest.Add($"{tensor.Name} {loop.ShardIndex} {Hex(values)}");
                    continue;
                }

                var length = (int)lengths[tensor.Name[..tensor.Name.LastIndexOf('.')]];
                var whole = GetOrAdd(tensor.Name, length);
                var at = (int)Math.Min(length, loop.ShardIndex * tensor.Length);
                values[..(int)Math.Min(tensor.Length, length - at)].CopyTo(whole.AsSpan(at));
            }
        }
    }

    private float[] GetOrAdd(string name, int length) => _whole.TryGetValue(name, out var whole) ? whole : _whole[name] = new float[length];

    private static string Hex(ReadOnlySpan<float> values) => Convert.ToHexString(MemoryMarshal.AsBytes(values));
}

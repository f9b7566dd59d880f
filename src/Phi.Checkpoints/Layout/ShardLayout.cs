using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Layout;

/// <summary>
/// How a unit is cut into shards. Its matrices are one region and its vectors another; each is padded at its end to whole shards, and
/// shards of matrices are whole multiples of an alignment, the quantisers' block. Lengths in elements.
/// </summary>
public static class ShardLayout
{
    /// <summary>Serves every usual block size.</summary>
    public const long DefaultAlignment = 256;

    public const string Weights = "weights";

    /// <summary>What error feedback keeps of a unit: <c>UNIT.errors_HOP</c>.</summary>
    public const string Errors = "errors_";

    /// <summary>What a shard file holds of each region, in order; a tensor's name is <c>UNIT.REGION.KIND</c>.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [Weights, "first_moments", "second_moments"];

    public static long MatrixShard(UnitLayout unit, int shards, long alignment) => RoundUp(RoundUp(unit.Matrices, shards) / shards, alignment);

    public static long VectorShard(UnitLayout unit, int shards) => RoundUp(unit.Vectors, shards) / shards;

    /// <summary>The unit's regions as a manifest lists them; one without elements is left out.</summary>
    public static IEnumerable<UnitEntry> Regions(UnitLayout unit, long matrixShard, long vectorShard)
    {
        yield return new UnitEntry($"{unit.Name}.matrices", unit.Matrices, matrixShard, Tensors(true));
        if (vectorShard > 0)
        {
            yield return new UnitEntry($"{unit.Name}.vectors", unit.Vectors, vectorShard, Tensors(false));
        }

        List<TensorEntry> Tensors(bool matrices) =>
            [.. unit.Tensors.Where(tensor => tensor.IsMatrix == matrices).Select(tensor => new TensorEntry(tensor.Name, tensor.Shape, tensor.Offset))];
    }

    /// <summary>Whether a shard's tensor is what error feedback keeps: it belongs to one rank of one world, and fits no other.</summary>
    public static bool IsError(string tensor) => tensor.Contains("." + Errors, StringComparison.Ordinal);

    /// <summary>Whether a shard's tensor is a region's weights or moments, which every checkpoint has.</summary>
    public static bool IsUnitState(string tensor) => Kinds.Any(kind => tensor.EndsWith("." + kind, StringComparison.Ordinal));

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;
}

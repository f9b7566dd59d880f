using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// One shard's message: its matrices (INT8 or INT4 codes with scales, or values in the precision of the compute), then its vectors in
/// that precision. Both parts begin at whole 16 bytes, as a GPU's wide loads ask.
/// </summary>
/// <param name="VectorsAt">Bytes from the message's start to its vectors.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct MessageLayout(long VectorsAt, long Length)
{
    private const long Alignment = 16;

    /// <param name="quantizer">Null: values travel in the precision.</param>
    public static MessageLayout Of(ShardedUnit unit, IBlockQuantizer? quantizer, ComputePrecision precision)
    {
        var matrices = RoundUp(quantizer?.EncodedLength(unit.MatrixShard) ?? unit.MatrixShard * precision.ElementBytes);
        return new MessageLayout(matrices, matrices + RoundUp(unit.VectorShard * precision.ElementBytes));
    }

    private static long RoundUp(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

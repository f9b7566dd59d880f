using Phi.Training.Kernels.Quantization;
using Phi.Training.Zero;

namespace Phi.Training.Devices;

/// <summary>Block quantisation in a device's memory; format, arithmetic and bits are those of <see cref="BlockQuantizer"/>. Counts are whole blocks.</summary>
public interface IBlockQuantizer
{
    int Bits { get; }

    int BlockSize { get; }

    /// <summary>Bytes of count values: codes, then one bfloat16 scale for each block.</summary>
    long EncodedLength(long count);

    /// <summary>Values of any precision; a 16-bit value is widened to fp32 first.</summary>
    void Encode(nint values, ComputePrecision precision, nint encoded, long count);

    /// <summary>errors += values; encodes the errors; errors -= what was encoded. Errors are fp32.</summary>
    void EncodeKeepingErrors(nint values, ComputePrecision precision, nint errors, nint encoded, long count);

    /// <summary>The decoded fp32, rounded to the precision.</summary>
    void Decode(nint encoded, nint values, ComputePrecision precision, long count);

    /// <summary>The fp32 sum of what several ranks sent, in their order.</summary>
    /// <param name="encoded">Sources, each at a distance of <paramref name="stride"/> bytes from the one before.</param>
    void DecodeSum(nint encoded, int sources, long stride, nint sum, long count);

    /// <summary>Sums what several ranks sent and encodes the sum for the next hop, in one pass over memory.</summary>
    /// <param name="next">Of the same device and block size; its bits may differ.</param>
    void DecodeSumEncode(nint encoded, int sources, long stride, IBlockQuantizer next, nint result, long count);
}

using Phi.Training.Zero;
using static TorchSharp.torch;

namespace Phi.Training.Devices;

internal static class PrecisionExtensions
{
    extension(ComputePrecision precision)
    {
        public int ElementBytes => precision == ComputePrecision.Fp32 ? sizeof(float) : sizeof(ushort);

        public ScalarType TorchType => precision switch
        {
            ComputePrecision.Bf16 => ScalarType.BFloat16,
            ComputePrecision.Fp16 => ScalarType.Float16,
            _ => ScalarType.Float32,
        };
    }
}

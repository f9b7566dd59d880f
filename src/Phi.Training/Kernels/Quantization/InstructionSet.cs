namespace Phi.Training.Kernels.Quantization;

/// <summary>Which inner loops run. Auto takes the widest that the processor has.</summary>
public enum InstructionSet
{
    Auto,
    Portable,
    Avx2,
    Avx512,
}

using Phi.Collectives.Cuda;

namespace Phi.Training.Kernels.Cuda;

/// <summary>The kernels of this folder, as they are embedded in the assembly.</summary>
internal static class CudaSource
{
    private const string Common = "numbers.cuh";

    /// <param name="file">Such as "quantize.cu".</param>
    /// <param name="capability">Of the device, such as (9, 0).</param>
    public static CudaProgram Program(string file, (int Major, int Minor) capability, params string[] defines) =>
        new(file, $"#line 1 \"{Common}\"\n{Read(Common)}#line 1 \"{file}\"\n{Read(file)}", defines, $"sm_{capability.Major}{capability.Minor}");

    private static string Read(string file)
    {
        using var stream = typeof(CudaSource).Assembly.GetManifestResourceStream($"cuda/{file}") ?? throw new InvalidOperationException($"cuda/{file} is not embedded in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

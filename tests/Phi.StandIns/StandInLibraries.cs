namespace Phi.StandIns;

/// <summary>
/// Libraries that stand in for a GPU's on machines without one: a process that calls <see cref="Use"/> before its first call of the CUDA
/// driver gets them instead. They keep the real libraries' contracts about memory, streams and events, and run kernels on the CPU.
/// </summary>
public static class StandInLibraries
{
    private static readonly Lazy<bool> Chosen = new(Choose);

    /// <summary>Builds the libraries (once for each content of their sources) and names them in PHI_CUDA_LIBRARY and its like.</summary>
    /// <exception cref="InvalidOperationException">g++ failed; its output is in the message.</exception>
    public static void Use() => _ = Chosen.Value;

    private static bool Choose()
    {
        var driver = NativeBuild.Library("cuda", []);
        var compiler = NativeBuild.Library("nvrtc", [], $"STAND_IN_NATIVE=\"{NativeBuild.Sources}\"", $"STAND_IN_KERNELS=\"{Path.Combine(NativeBuild.Artifacts, "kernels")}\"");
        var nccl = NativeBuild.Library("nccl", [driver]);
        StandInDriver.Load(driver);
        StandInCompiler.Load(compiler);
        StandInNccl.Load(nccl);
        Environment.SetEnvironmentVariable("PHI_CUDA_LIBRARY", driver);
        Environment.SetEnvironmentVariable("PHI_NVRTC_LIBRARY", compiler);
        Environment.SetEnvironmentVariable("PHI_NCCL_LIBRARY", nccl);
        return true;
    }
}

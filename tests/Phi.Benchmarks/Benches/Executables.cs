namespace Phi.Benchmarks.Benches;

/// <summary>The product's executables, as the build leaves them beside this one.</summary>
internal static class Executables
{
    public static string Cli { get; } = Find("Phi.Cli", "phi");

    public static string Trainer { get; } = Find("Phi.Trainer", "phi-trainer");

    /// <summary>The script at the checkout's root, which builds what an edit made stale.</summary>
    public static string Launcher { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", "phi"));

    private static string Find(string project, string name) => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", project, "release", name));

    /// <exception cref="BenchException">It is not built.</exception>
    public static string Required(string path) => File.Exists(path) ? path : throw new BenchException($"{path} is not built; run ./phi bench from a checkout");
}

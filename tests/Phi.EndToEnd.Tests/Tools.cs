namespace Phi.EndToEnd.Tests;

/// <summary>The executables under test and the real clients.</summary>
internal static class Tools
{
    public static string Repository { get; } = FindRepository();
    public static string Phi { get; } = Path.Combine(Repository, "phi");
    public static string Kubectl { get; } = Environment.GetEnvironmentVariable("KUBECTL") ?? "kubectl";

    /// <summary>Built by <see cref="Phi"/> at its first call.</summary>
    public static string Cli { get; } = Path.Combine(Repository, "artifacts/bin/Phi.Cli/release/phi");
    public static string TrainerFolder { get; } = Path.Combine(Repository, "artifacts/bin/Phi.Trainer/release");
    public const string Chromium = "/usr/bin/chromium";

    private static string FindRepository()
    {
        var given = Environment.GetEnvironmentVariable("PHI_REPOSITORY");
        for (var folder = new DirectoryInfo(given ?? AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "PhiOrchestrator.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"PhiOrchestrator.sln is in no folder above {AppContext.BaseDirectory}; set PHI_REPOSITORY to the checkout.");
    }
}

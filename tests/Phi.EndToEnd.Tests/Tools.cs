namespace Phi.EndToEnd.Tests;

/// <summary>The executables under test and the real clients.</summary>
internal static class Tools
{
    public static string Phi { get; } = Path.Combine(Repository.Root, "phi");
    public static string Kubectl { get; } = Environment.GetEnvironmentVariable("KUBECTL") ?? "kubectl";

    /// <summary>On the PATH, or where the test script puts it.</summary>
    public static string Helm { get; } = Path.Combine(Repository.Root, "artifacts", "tools", "helm") is var own && File.Exists(own) ? own : "helm";

    /// <summary>Built by <see cref="Phi"/> at its first call.</summary>
    public static string Cli { get; } = Path.Combine(Repository.Root, "artifacts/bin/Phi.Cli/release/phi");
    public static string TrainerFolder { get; } = Path.Combine(Repository.Root, "artifacts/bin/Phi.Trainer/release");
    public const string Chromium = "/usr/bin/chromium";
}

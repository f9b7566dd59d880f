namespace Phi.Cli.Output;

/// <summary>What standard output can show.</summary>
internal static class Terminal
{
    /// <summary>Colours are for people at a terminal who did not ask for none (no-color.org).</summary>
    public static bool HasColor => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "" && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
}

namespace Phi.Cli.Completion;

/// <summary>Scripts for shells; each calls <c>phi __complete WORDS</c>.</summary>
internal static class CompletionScripts
{
    public const string Complete = "__complete";

    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    public static string Read(string shell)
    {
        using var reader = new StreamReader(typeof(CompletionScripts).Assembly.GetManifestResourceStream($"completion/phi.{shell}")!);
        return reader.ReadToEnd();
    }
}

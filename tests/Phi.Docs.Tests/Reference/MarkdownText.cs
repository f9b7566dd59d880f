namespace Phi.Docs.Tests.Reference;

/// <summary>Text as a cell of a Markdown table.</summary>
internal static class MarkdownText
{
    public const string Generated = "Generated; `PHI_UPDATE_GOLDEN=1 ./phi test Docs` writes it anew.";

    public static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);

    public static string Code(string text) => $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";
}

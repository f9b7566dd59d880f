namespace Phi.Docs.Tests.Markdown;

/// <summary>A span of code or the target of a link, and where it stands.</summary>
internal sealed record Span(Page Page, int Line, string Text)
{
    public override string ToString() => $"{Page.Name}:{Line}: {Text}";
}

namespace Phi.Docs.Tests.Markdown;

/// <summary>A fenced block.</summary>
/// <param name="Info">What stands behind the fence, such as "sh".</param>
/// <param name="Line">That of its fence, from 1.</param>
internal sealed record Block(string Info, int Line, string Text);

namespace Phi.Docs.Tests.Markdown;

/// <summary>One command of a script; assignments before it and redirections are left out.</summary>
internal sealed record ShellCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary><c>./phi</c>, <c>phi</c> and <c>kubectl phi</c> are one.</summary>
    public bool IsPhi => Program is "./phi" or "phi" || (Program == "kubectl" && Arguments is ["phi", ..]);

    public IReadOnlyList<string> PhiArguments => Program == "kubectl" ? [.. Arguments.Skip(1)] : Arguments;

    public override string ToString() => string.Join(' ', Arguments.Prepend(Program));
}

namespace Phi.Docs.Tests.Markdown;

/// <summary>Commands that pages show: in sh blocks whole, in spans of prose perhaps without what the reader has to add.</summary>
internal sealed record PageCommand(Page Page, int Line, ShellCommand Command, bool IsWhole)
{
    private static readonly string[] Programs = ["./phi ", "phi ", "kubectl ", "helm "];

    public static IReadOnlyList<PageCommand> All { get; } =
    [
        .. Page.All.SelectMany(page => page.Blocks.Where(block => block.Info == "sh").SelectMany(block => ShellScript.Commands(block.Text).Select(command => new PageCommand(page, block.Line, command, true)))),
        .. Page.All.SelectMany(page => page.Spans.Where(span => Programs.Any(program => span.Text.StartsWith(program, StringComparison.Ordinal)))
            .SelectMany(span => ShellScript.Commands(span.Text.TrimEnd('…', ' ')).Select(command => new PageCommand(page, span.Line, command, false)))),
    ];

    public override string ToString() => $"{Page.Name}:{Line}: {Command}";
}

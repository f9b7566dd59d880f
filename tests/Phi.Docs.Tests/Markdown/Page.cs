using System.Text;
using System.Text.RegularExpressions;

namespace Phi.Docs.Tests.Markdown;

/// <summary>A Markdown file of the repository: its fenced blocks, links, code spans and headings, each with its line.</summary>
internal sealed partial class Page
{
    private static readonly string[] Foreign = ["artifacts", "node_modules", ".git", "lib"];

    private Page(string path)
    {
        Name = Path.GetRelativePath(Repository.Root, path);
        Folder = Path.GetDirectoryName(path)!;
        var (prose, blocks) = Split(File.ReadAllLines(path));
        Blocks = blocks;
        Headings = [.. prose.Where(line => line.Text.StartsWith('#')).Select(line => Anchor(line.Text.TrimStart('#')))];
        // A span may go over a line's end, a paragraph not.
        Spans = [.. Paragraphs(prose).SelectMany(paragraph => CodeSpans().Matches(paragraph.Text).Select(match => new Span(this, paragraph.LineOf(match.Index), Blanks().Replace(match.Groups["code"].Value, " "))))];
        Links = [.. Paragraphs(prose).SelectMany(paragraph => LinkTargets().Matches(CodeSpans().Replace(paragraph.Text, match => new string('x', match.Length))).Select(match => new Span(this, paragraph.LineOf(match.Index), match.Groups["to"].Value)))];
        LineCount = File.ReadLines(path).Count();
    }

    /// <summary>From the repository's root.</summary>
    public string Name { get; }

    public string Folder { get; }

    public int LineCount { get; }

    public IReadOnlyList<Block> Blocks { get; }

    public IReadOnlyList<Span> Spans { get; }

    public IReadOnlyList<Span> Links { get; }

    /// <summary>As anchors of links.</summary>
    public IReadOnlyList<string> Headings { get; }

    /// <summary>Every page that people wrote or that is generated for them.</summary>
    public static IReadOnlyList<Page> All { get; } = [.. Find(Repository.Root).Order(StringComparer.Ordinal).Select(path => new Page(path))];

    public static Page Read(string name) => new(Path.Combine(Repository.Root, name));

    public override string ToString() => Name;

    private static IEnumerable<string> Find(string folder) => Directory.EnumerateFiles(folder, "*.md").Concat(
        Directory.EnumerateDirectories(folder).Where(child => !Foreign.Contains(Path.GetFileName(child))).SelectMany(Find));

    private static (List<Line> Prose, List<Block> Blocks) Split(string[] lines)
    {
        var (prose, blocks) = (new List<Line>(), new List<Block>());
        for (var at = 0; at < lines.Length; at++)
        {
            if (!lines[at].TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                prose.Add(new Line(at + 1, lines[at]));
                continue;
            }

            var (first, text, indent) = (at, new StringBuilder(), lines[at].Length - lines[at].TrimStart().Length);
            for (at++; at < lines.Length && !lines[at].TrimStart().StartsWith("```", StringComparison.Ordinal); at++)
            {
                text.Append(lines[at].Length > indent ? lines[at][indent..] : lines[at].TrimStart()).Append('\n');
            }

            blocks.Add(new Block(lines[first].Trim().Trim('`'), first + 1, text.ToString()));
            prose.Add(new Line(first + 1, ""));
        }

        return (prose, blocks);
    }

    private static IEnumerable<Paragraph> Paragraphs(IEnumerable<Line> prose)
    {
        var lines = new List<Line>();
        foreach (var line in prose.Append(new Line(0, "")))
        {
            if (line.Text.Trim().Length > 0)
            {
                lines.Add(line);
            }
            else if (lines.Count > 0)
            {
                yield return new Paragraph(lines);
                lines = [];
            }
        }
    }

    /// <summary>GitHub's rule: lower case, blanks become hyphens, other punctuation goes.</summary>
    private static string Anchor(string heading) => new([.. heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_').Select(c => c == ' ' ? '-' : c)]);

    [GeneratedRegex("(?<!`)`(?<code>[^`]+)`(?!`)")]
    private static partial Regex CodeSpans();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex LinkTargets();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    private sealed record Line(int Number, string Text);

    private sealed class Paragraph(List<Line> lines)
    {
        private readonly int _first = lines[0].Number;

        public string Text { get; } = string.Join('\n', lines.Select(line => line.Text));

        public int LineOf(int index) => _first + Text.AsSpan(0, index).Count('\n');
    }
}

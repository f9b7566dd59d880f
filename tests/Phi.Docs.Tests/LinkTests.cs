using System.Text.RegularExpressions;
using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>Links lead somewhere, paths are there, and the first page stays short.</summary>
public sealed partial class LinkTests
{
    private const int ReadmeLines = 150;
    private static readonly string[] Written = ["artifacts"];

    [Fact]
    public void Links_ToFilesAndHeadings_LeadThere() => AssertNone(Page.All.SelectMany(page => page.Links).Where(link => !Leads(link)));

    [Fact]
    public void CodeSpans_ThatArePaths_Exist()
    {
        var paths = Page.All.SelectMany(page => page.Spans).Where(IsPath).ToList();

        Assert.True(paths.Count > 60, $"{paths.Count}");
        AssertNone(paths.Where(span => !Exists(span)));
    }

    [Fact]
    public void Blocks_NameTheirLanguage() => AssertNone(Page.All.SelectMany(page => page.Blocks.Where(block => block.Info.Length == 0).Select(block => new Span(page, block.Line, "a block without a language; write sh, yaml or text"))));

    [Fact]
    public void Readme_IsShort() => Assert.InRange(Page.Read("README.md").LineCount, 1, ReadmeLines);

    /// <summary>Whoever begins at docs/README.md comes to every page of docs.</summary>
    [Fact]
    public void DocsIndex_LeadsToEveryPageOfDocs()
    {
        var index = Page.Read("docs/README.md");
        var linked = index.Links.Select(link => Path.GetFullPath(Path.Combine(index.Folder, link.Text.Split('#')[0]))).ToHashSet();

        Assert.DoesNotContain(Page.All, page => page.Name.StartsWith("docs/", StringComparison.Ordinal) && page.Name != index.Name && !linked.Contains(Path.Combine(Repository.Root, page.Name)));
    }

    private static bool Leads(Span link)
    {
        if (Uri.TryCreate(link.Text, UriKind.Absolute, out var uri) && !uri.IsFile)
        {
            return uri.Scheme == Uri.UriSchemeHttps;
        }

        var parts = link.Text.Split('#', 2);
        var target = parts[0].Length == 0 ? Path.Combine(Repository.Root, link.Page.Name) : Path.GetFullPath(Path.Combine(link.Page.Folder, parts[0]));
        return (File.Exists(target) || Directory.Exists(target))
            && (parts.Length == 1 || Page.Read(Path.GetRelativePath(Repository.Root, target)).Headings.Contains(parts[1]));
    }

    /// <summary>It looks like a path, and begins with a folder that is here or at the root.</summary>
    private static bool IsPath(Span span) => Paths().IsMatch(span.Text) && span.Text.Split('/')[0] is var first && !Written.Contains(first)
        && (span.Text.EndsWith(".md", StringComparison.Ordinal) || Roots(span).Any(root => Directory.Exists(Path.Combine(root, first))));

    private static bool Exists(Span span) => Roots(span).Any(root => span.Text.Contains('*', StringComparison.Ordinal)
        ? Directory.Exists(Path.GetDirectoryName(Path.Combine(root, span.Text))) && Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Path.Combine(root, span.Text))!, Path.GetFileName(span.Text)).Any()
        : Path.Exists(Path.Combine(root, span.Text)) || File.Exists(Path.Combine(root, span.Text + ".cs")));

    private static string[] Roots(Span span) => [Repository.Root, span.Page.Folder];

    private static void AssertNone(IEnumerable<Span> wrong) => Expect.Nothing(wrong.Select(span => span.ToString()));

    [GeneratedRegex(@"^[\w.-]+(/[\w.*-]+)*/?$(?<=/.*)")]
    private static partial Regex Paths();
}

using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>
/// Runs the sh blocks of a page, in their order, in one bash at the repository's root, and compares what each prints with the text block that
/// follows it. There <c>…</c> stands for anything within a line, a line of nothing else for any lines.
/// </summary>
internal sealed class Tutorial : IAsyncDisposable
{
    private readonly Process _shell;
    private readonly string _mark = $"--- {Guid.NewGuid():N}";

    /// <param name="environment">Variables beside the test's own.</param>
    public Tutorial(string folder, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("bash", ["--noprofile", "--norc"]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _shell = Process.Start(start)!;
    }

    /// <summary>Fails the test at the first command that fails or prints something else.</summary>
    public async Task RunAsync(Page page, CancellationToken cancellationToken)
    {
        for (var at = 0; at < page.Blocks.Count; at++)
        {
            if (page.Blocks[at] is not { Info: "sh" } block)
            {
                continue;
            }

            var (code, output) = await RunAsync(block.Text, cancellationToken);
            Assert.True(code == 0, $"{page.Name}:{block.Line} ended with {code}:\n{block.Text}\n{output}");
            if (at + 1 < page.Blocks.Count && page.Blocks[at + 1] is { Info: "text" } expected)
            {
                Assert.True(Matches(expected.Text, output), $"{page.Name}:{expected.Line} shows\n{expected.Text}\nand this came:\n{output}");
            }
        }
    }

    /// <summary>Runs a script so that the first command that fails ends it, and what it sets stays.</summary>
    public async Task<(int Code, string Output)> RunAsync(string script, CancellationToken cancellationToken)
    {
        // An && list would not do for here-documents: a function that its own trap leaves does. Commands must not read what is to run next.
        await _shell.StandardInput.WriteAsync($"phi_block() {{\ntrap 'return 1' ERR\nset -o pipefail\n{script}\ntrap - ERR\n}}\n{{ phi_block; code=$?; trap - ERR; }} </dev/null 2>&1\necho; echo '{_mark}' $code\n");
        await _shell.StandardInput.FlushAsync(cancellationToken);
        var output = new StringBuilder();
        while (await _shell.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(_mark, StringComparison.Ordinal))
            {
                return (int.Parse(line[_mark.Length..], System.Globalization.CultureInfo.InvariantCulture), output.ToString());
            }

            output.Append(line).Append('\n');
        }

        return (-1, output + "(bash has ended)");
    }

    /// <summary>Lines of progress that a terminal would have overwritten, and empty ones at the end, do not count.</summary>
    public static bool Matches(string expected, string output)
    {
        var pattern = new StringBuilder("^");
        foreach (var line in expected.TrimEnd('\n').Split('\n'))
        {
            pattern.Append(line == "…" ? "(?:.*\n)*?" : Columns(string.Join("[^\n]*", line.TrimEnd().Split('…').Select(Regex.Escape))) + "[ ]*\n");
        }

        return Regex.IsMatch(output.TrimEnd('\n') + "\n", pattern + "$", RegexOptions.None, TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
    }

    /// <summary>Widths of columns depend on what is in them.</summary>
    private static string Columns(string pattern) => Regex.Replace(pattern, @"(\\ )+", @"[ ]+");
}

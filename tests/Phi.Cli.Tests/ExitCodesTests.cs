using System.Reflection;
using System.Text.RegularExpressions;
using Phi.Tests;

namespace Phi.Cli.Tests;

/// <summary>The README's table of exit codes is <see cref="ExitCodes"/>.</summary>
public sealed partial class ExitCodesTests
{
    [Fact]
    public void Readme_Table_HasEveryCodeOnceAndNoOther()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var table = Row().Matches(readme[readme.IndexOf("| exit code |", StringComparison.Ordinal)..]).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();

        Assert.Equal(Codes().Distinct().Order(), table);
    }

    private static IEnumerable<int> Codes() => typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (int)field.GetRawConstantValue()!);

    [GeneratedRegex(@"(?<=\n)\| (\d+) \| [^|]+ \|")]
    private static partial Regex Row();
}

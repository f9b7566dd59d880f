using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Phi.Api.Metadata;

namespace Phi.Docs.Tests.Reference;

/// <summary>Environment variables of training pods, from their constants and comments.</summary>
internal static partial class EnvironmentPage
{
    public static string Write()
    {
        var documentation = XDocument.Load(Path.ChangeExtension(typeof(PhiEnvironment).Assembly.Location, ".xml"));
        var summaries = documentation.Descendants("member").ToDictionary(member => member.Attribute("name")!.Value, member => member.Element("summary"));
        var text = new StringBuilder($"# Environment of a training pod\n\nSet by the operator or the node unless the meaning says otherwise. Those without words are what their names say, those of torchrun what they are to torchrun ([containers.md](../containers.md)). {MarkdownText.Generated}\n\n| variable | what it means |\n| --- | --- |\n");
        foreach (var field in typeof(PhiEnvironment).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var summary = summaries.GetValueOrDefault($"F:{typeof(PhiEnvironment).FullName}.{field.Name}");
            text.Append(CultureInfo.InvariantCulture, $"| `{field.GetRawConstantValue()}` | {MarkdownText.Cell(Plain(summary))} |\n");
        }

        return text.ToString();
    }

    /// <summary>References to other constants become their variables.</summary>
    private static string Plain(XElement? summary) => summary is null ? "" : Blanks().Replace(string.Concat(summary.Nodes().Select(node => node switch
    {
        XText words => words.Value,
        XElement { Name.LocalName: "see" } see => Refer((string)see.Attribute("cref")!),
        XElement other => other.Value,
        _ => "",
    })), " ").Trim();

    private static string Refer(string member) => typeof(PhiEnvironment).GetField(member.Split('.')[^1])?.GetRawConstantValue() as string ?? member.Split('.')[^1];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

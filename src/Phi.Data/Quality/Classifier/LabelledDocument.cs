using System.Globalization;
using System.Text;
using Phi.Data.Preparation;

namespace Phi.Data.Quality.Classifier;

/// <summary>A document to label: a line of a file of labels.</summary>
/// <param name="Id">Hash of the text, in lowercase hexadecimal.</param>
/// <param name="Name">Where it came from, for people.</param>
/// <param name="Label">good, bad or skip; null: not yet.</param>
/// <param name="Text">The document's <see cref="Excerpt"/>.</param>
public sealed record LabelledDocument(string Id, string Name, string? Label, string Text)
{
    public const string Good = "good";
    public const string Bad = "bad";
    /// <summary>Whoever labels could not say.</summary>
    public const string Skip = "skip";

    /// <summary>Null: it is not labelled, or was skipped.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool? IsGood => Label switch { Good => true, Bad => false, _ => null };

    internal static string IdOf(string text) => ContentHash.Of(Encoding.UTF8.GetBytes(text)).Identity.ToString("x32", CultureInfo.InvariantCulture);
}

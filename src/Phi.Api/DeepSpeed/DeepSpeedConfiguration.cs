using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.Api.DeepSpeed;

/// <summary>DeepSpeed's JSON configuration of a job.</summary>
/// <param name="Json">The whole file.</param>
/// <param name="Notes">What the job asks for and DeepSpeed cannot do, or does otherwise; each names the field of the spec.</param>
public sealed record DeepSpeedConfiguration(JsonObject Json, IReadOnlyList<string> Notes)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The file's text, indented.</summary>
    public string ToText() => Json.ToJsonString(Indented) + "\n";
}

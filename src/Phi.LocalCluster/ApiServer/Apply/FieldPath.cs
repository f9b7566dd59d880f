using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>
/// A place in an object as server-side apply names it: <c>f:</c> a field, <c>k:</c> an item of a list by its keys, <c>v:</c> a member of
/// a set. The elements are joined so that a path can be a dictionary's key.
/// </summary>
internal readonly record struct FieldPath(string Text) : IComparable<FieldPath>
{
    private const char Separator = '\u001f';

    public static FieldPath Root { get; } = new("");

    public IReadOnlyList<string> Elements => Text.Length == 0 ? [] : Text.Split(Separator);

    public FieldPath Then(string element) => new(Text.Length == 0 ? element : $"{Text}{Separator}{element}");

    public bool IsBelow(FieldPath other) => Text.Length > other.Text.Length && Text.StartsWith(other.Text, StringComparison.Ordinal) && (other.Text.Length == 0 || Text[other.Text.Length] == Separator);

    public static string Field(string name) => $"f:{name}";

    public static string Key(JsonNode? item, IReadOnlyList<string> keys) =>
        $"k:{new JsonObject(keys.Order(StringComparer.Ordinal).Select(key => KeyValuePair.Create(key, item?[key]?.DeepClone()))).ToJsonString()}";

    public static string Value(JsonNode? item) => $"v:{item?.ToJsonString() ?? "null"}";

    public int CompareTo(FieldPath other) => string.CompareOrdinal(Text, other.Text);

    /// <summary>As conflicts are shown: .spec.containers[name="x"].image.</summary>
    public override string ToString() => string.Concat(Elements.Select(element => element[..2] switch
    {
        "f:" => $".{element[2..]}",
        "k:" => $"[{string.Join(",", JsonNode.Parse(element[2..])!.AsObject().Select(pair => $"{pair.Key}={pair.Value?.ToJsonString()}"))}]",
        _ => $"[={element[2..]}]",
    }));
}

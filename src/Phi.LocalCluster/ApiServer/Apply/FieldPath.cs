using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>
/// A place in an object as server-side apply names it: <c>f:</c> a field, <c>k:</c> an item of a list by its keys, <c>i:</c> one by its
/// place, <c>v:</c> a member of a set. The elements are joined so that a path can be a dictionary's key.
/// </summary>
internal readonly record struct FieldPath(string Text) : IComparable<FieldPath>
{
    private const char Separator = '\u001f';

    public static FieldPath Root { get; } = new("");

    public IReadOnlyList<string> Elements => Text.Length == 0 ? [] : Text.Split(Separator);

    public FieldPath Then(string element) => new(Text.Length == 0 ? element : $"{Text}{Separator}{element}");

    public bool IsBelow(FieldPath other) => Text.Length > other.Text.Length && Text.StartsWith(other.Text, StringComparison.Ordinal) && (other.Text.Length == 0 || Text[other.Text.Length] == Separator);

    /// <summary>Whether it is one of the fields by which an item is found in its list.</summary>
    public bool IsKeyOfItem => Elements is [.., ['k', ':', .. var item], ['f', ':', .. var name]] && JsonNode.Parse(item)!.AsObject().ContainsKey(name);

    public bool IsOrIsBelow(FieldPath other) => this == other || IsBelow(other);

    public static string Field(string name) => $"f:{name}";

    /// <summary>An item of a list of the schema; a key that the item leaves out has its default, as a port's protocol has.</summary>
    public static string Key(JsonNode? item, Schema list) =>
        $"k:{new JsonObject(list.ListMapKeys.Order(StringComparer.Ordinal).Select(key => KeyValuePair.Create(key, (item?[key] ?? list.Items?.Child(key)?.Default)?.DeepClone()))).ToJsonString()}";

    public static string Value(JsonNode? item) => $"v:{item?.ToJsonString() ?? "null"}";

    /// <summary>An item of a list that is one value.</summary>
    public static string Index(int index) => $"i:{index}";

    public int CompareTo(FieldPath other) => string.CompareOrdinal(Text, other.Text);

    /// <summary>As conflicts are shown: .spec.containers[name="x"].image.</summary>
    public override string ToString() => string.Concat(Elements.Select(element => element[..2] switch
    {
        "f:" => $".{element[2..]}",
        "i:" => $"[{element[2..]}]",
        "k:" => $"[{string.Join(",", JsonNode.Parse(element[2..])!.AsObject().Select(pair => $"{pair.Key}={pair.Value?.ToJsonString()}"))}]",
        _ => $"[={element[2..]}]",
    }));
}

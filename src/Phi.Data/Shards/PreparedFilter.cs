using System.Text.Json.Serialization;

namespace Phi.Data.Shards;

/// <summary>The rules by which documents were left out of a prepared folder; a rule that is off is not written.</summary>
public sealed record PreparedFilter
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool OnlyText { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MinBytes { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MaxBytes { get; init; }
    /// <summary>Characters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MaxLineLength { get; init; }
    /// <summary>Characters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxMeanLineLength { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinAlphanumeric { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinComments { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxComments { get; init; }
    /// <summary>Version of the Python that had to parse the documents: another one may take others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Python { get; init; }
    /// <summary>SHA-256 of the model's file, in lowercase hexadecimal.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Threshold { get; init; }
    /// <summary>Jaccard similarity.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? NearDuplicates { get; init; }

    /// <summary>What the two differ in, in words; null if in nothing. Null stands for no rules.</summary>
    internal static string? Difference(PreparedFilter? was, PreparedFilter? now)
    {
        var (before, after) = (was ?? new PreparedFilter(), now ?? new PreparedFilter());
        return before.Named.Zip(after.Named, (one, other) => Equals(one.Value, other.Value) ? null : FormattableString.Invariant($"{one.Name} was {one.Value ?? "off"} and is {other.Value ?? "off"}")).FirstOrDefault(difference => difference is not null);
    }

    private IEnumerable<(string Name, object? Value)> Named =>
    [
        ("only-text", OnlyText ? "on" : null), ("min-bytes", MinBytes), ("max-bytes", MaxBytes), ("max-line-length", MaxLineLength), ("max-mean-line-length", MaxMeanLineLength),
        ("min-alphanumeric", MinAlphanumeric), ("min-comments", MinComments), ("max-comments", MaxComments), ("the Python that parses (python-parses)", Python),
        ("the filter's model (SHA-256)", Model), ("the filter's threshold", Threshold), ("near-duplicates", NearDuplicates),
    ];
}

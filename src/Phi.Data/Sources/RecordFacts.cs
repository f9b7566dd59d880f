namespace Phi.Data.Sources;

/// <summary>What a line of JSON Lines or a row of Parquet says beside its text, in the fields that The Stack and its kin have.</summary>
/// <param name="IsRecord">False for text files, which say nothing.</param>
/// <param name="Path">In the repository that the text came from.</param>
public sealed record RecordFacts(bool IsRecord, string? Path, string? Language, IReadOnlyList<string> Licenses)
{
    /// <summary>Longer names are cut: they are for people.</summary>
    private const int MostCharacters = 200;

    public static readonly RecordFacts None = new(false, null, null, []);
    public static readonly RecordFacts Silent = new(true, null, null, []);

    internal static IReadOnlyList<string> PathFields { get; } = ["path", "file_path", "max_stars_repo_path"];

    internal static IReadOnlyList<string> LanguageFields { get; } = ["language", "lang"];

    internal static IReadOnlyList<string> LicenseFields { get; } = ["license", "licenses", "max_stars_repo_licenses", "detected_licenses"];

    /// <summary>Null for a name of nothing.</summary>
    internal static string? Clean(ReadOnlySpan<char> name)
    {
        name = name.Trim();
        return name.IsEmpty ? null : name[..Math.Min(name.Length, MostCharacters)].ToString();
    }
}

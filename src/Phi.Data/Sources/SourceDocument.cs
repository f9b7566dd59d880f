namespace Phi.Data.Sources;

/// <summary>A document, where it stands, and what its source says of it.</summary>
/// <param name="Content">UTF-8 as it stands in the source; never empty.</param>
/// <param name="File">Path of the file.</param>
/// <param name="Number">From 1: the line of JSON Lines, the row of Parquet, or the part of a long text file. 0: the whole file.</param>
public sealed record SourceDocument(byte[] Content, string File, long Number, RecordFacts Facts)
{
    /// <summary>Language of records that say none.</summary>
    public const string NoLanguage = "unknown";

    /// <summary>What a person finds it by.</summary>
    public string Name => (Number, Facts.Path) switch
    {
        (0, _) => File,
        (_, { } path) => FormattableString.Invariant($"{File}:{Number} ({path})"),
        _ => FormattableString.Invariant($"{File}:{Number}"),
    };

    /// <summary>As the record says, or as the name of the file ends: <c>Python</c>, <c>.py</c>, <c>unknown</c>.</summary>
    public string Language => Facts.Language ?? (Facts is { IsRecord: true, Path: null } ? NoLanguage : Ending(Facts.Path ?? Plain(File)));

    /// <summary>Python by its language or name; a record that says nothing of itself counts as Python for rules about Python.</summary>
    public bool MayBePython => Facts is { IsRecord: true, Path: null, Language: null } || Language.ToUpperInvariant() is "PYTHON" or "PYTHON3" or "PY" or ".PY" or ".PYI" or ".PYW";

    private static string Plain(string file) => file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file[..^3] : file;

    private static string Ending(string path) => System.IO.Path.GetExtension(path) is { Length: > 1 } ending ? ending : NoLanguage;
}

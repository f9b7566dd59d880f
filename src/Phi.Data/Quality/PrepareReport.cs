using System.Text.Json;
using Phi.Data.Shards;

namespace Phi.Data.Quality;

/// <summary><c>report.json</c> of prepared data: what was read, what was left out and why, and what is left.</summary>
public sealed record PrepareReport
{
    public const string FileName = "report.json";
    public const string CurrentFormat = "phi-data-report";
    public const int CurrentVersion = 1;

    public string Format { get; init; } = CurrentFormat;
    public int Version { get; init; } = CurrentVersion;
    public required long Files { get; init; }
    /// <summary>Empty documents are not counted.</summary>
    public required DocumentCount Read { get; init; }
    public required DocumentCount Kept { get; init; }
    public required long TrainingTokens { get; init; }
    public required long HeldOutTokens { get; init; }
    /// <summary>In the order in which they are applied; a document counts for the first that leaves it out. The first is of exact duplicates.</summary>
    public required IReadOnlyList<RemovedDocuments> LeftOut { get; init; }
    /// <summary>Of what was kept, the most frequent first.</summary>
    public required IReadOnlyList<LanguageCount> Languages { get; init; }
    /// <summary>Of what was kept; a document of several licences counts for each. Empty where no document names one.</summary>
    public required IReadOnlyList<LicenseCount> Licenses { get; init; }

    /// <exception cref="DataException">The folder has none, or it cannot be read.</exception>
    public static PrepareReport Open(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return Parse(File.ReadAllBytes(path)) ?? throw new DataException($"{path} is no report of this version of the program. {Remedy}");
        }
        catch (FileNotFoundException)
        {
            throw new DataException($"{folder} has no {FileName}: it was removed, or an earlier version of the program prepared the data. {Remedy}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Make it readable to this user.");
        }
    }

    internal byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, PreparedIndex.Json);

    private const string Remedy = "Prepare the data again with phi data prepare --restart.";

    private static PrepareReport? Parse(byte[] content)
    {
        try
        {
            return JsonSerializer.Deserialize<PrepareReport>(content, PreparedIndex.Json) is { Format: CurrentFormat, Version: CurrentVersion } report ? report : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <param name="Bytes">Of text.</param>
public sealed record DocumentCount(long Documents, long Bytes);

/// <param name="Rule">By the name of its option; <c>duplicates</c> for exact ones.</param>
/// <param name="Setting">What the rule asks for.</param>
/// <param name="Share">Of the documents that were read, 0 to 1.</param>
/// <param name="Examples">Names of the first few.</param>
public sealed record RemovedDocuments(string Rule, string Setting, long Documents, long Bytes, double Share, IReadOnlyList<string> Examples);

/// <param name="Tokens">The end of text of each document included. Null where an earlier version of the program wrote some of the shards.</param>
public sealed record LanguageCount(string Name, long Documents, long Bytes, long? Tokens);

public sealed record LicenseCount(string Name, long Documents, long Bytes);

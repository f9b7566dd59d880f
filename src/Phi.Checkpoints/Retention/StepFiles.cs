using System.Text.RegularExpressions;

namespace Phi.Checkpoints.Retention;

/// <summary>Names of the files in a step's folder.</summary>
internal static partial class StepFiles
{
    public const string Manifest = "manifest.json";
    public const string Pin = "pin.json";
    private const string UsePrefix = "use-";
    private const string UseSuffix = ".json";

    /// <summary>A marker's name; each holder has its own.</summary>
    public static string NewUse() => $"{UsePrefix}{Guid.NewGuid():N}{UseSuffix}";

    public static bool IsUse(string name) => name.StartsWith(UsePrefix, StringComparison.Ordinal) && name.EndsWith(UseSuffix, StringComparison.Ordinal);

    public static bool IsShard(string name) => ShardName().IsMatch(name);

    /// <summary>Belongs to where the checkpoint lies, and is no part of it.</summary>
    public static bool IsMarker(string name) => name is Manifest or Pin || name.EndsWith(".damaged.json", StringComparison.Ordinal) || IsUse(name);

    [GeneratedRegex(@"^shard-\d{5,}-of-\d{5,}-attempt-\d+\.(safetensors|chunks)$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardName();
}

namespace Phi.Api.Crds;

/// <summary>The CustomResourceDefinitions of the three kinds, as <c>operators/crds</c> holds them.</summary>
public static class CrdCatalog
{
    /// <summary>One YAML document each.</summary>
    public static IReadOnlyList<string> All { get; } = [.. typeof(CrdCatalog).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("crds/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read)];

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(CrdCatalog).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

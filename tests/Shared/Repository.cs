namespace Phi.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var given = Environment.GetEnvironmentVariable("PHI_REPOSITORY");
        for (var folder = new DirectoryInfo(given ?? AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "PhiOrchestrator.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"PhiOrchestrator.sln is in no folder above {AppContext.BaseDirectory}; set PHI_REPOSITORY to the checkout.");
    }
}

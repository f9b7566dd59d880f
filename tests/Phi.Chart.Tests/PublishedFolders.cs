namespace Phi.Chart.Tests;

/// <summary>What <c>dotnet publish</c> makes of the executables that the tests were built with, and a pod's confinement to run them in.</summary>
public sealed class PublishedFolders : IAsyncLifetime
{
    /// <summary>
    /// The root file system is remounted read-only, with a /tmp of its own; then everything that makes root root is given up. Without root the
    /// same by user namespaces.
    /// </summary>
    private const string Confine = """
        mount -o remount,bind,ro / && mount -t tmpfs -o mode=1777 tmp /tmp || exit 125
        folder=$1; shift
        cd "$folder" || exit 125
        if [ "$PHI_IS_ROOT" = 1 ]; then exec setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all "$@"; fi
        exec unshare --user --map-user=65532 --map-group=65532 "$@"
        """;

    internal static string Images { get; } = Path.Combine(Repository.Root, "eng", "images");

    /// <summary>Not below /tmp, which is another one in the confinement.</summary>
    internal string Folder { get; } = Directory.CreateDirectory($"/var/tmp/phi-images-{Guid.NewGuid():N}").FullName;

    public async ValueTask InitializeAsync()
    {
        foreach (var project in new[] { "Phi.Cli", "Phi.Trainer" })
        {
            // What is published is what was built: a second build beside the tests would change the files that they run.
            (await CommandResult.RunAsync("dotnet", ["publish", Path.Combine(Repository.Root, "src", project), "-c", "Release", "--no-build", "-o", Path.Combine(Folder, project), "-v", "quiet", "-nodeReuse:false"])).Ok();
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a published program, or one of the machine.</summary>
    internal Task<CommandResult> RunAsync(string project, string program, params string[] arguments)
    {
        string[] unshare = Environment.UserName == "root" ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
        return CommandResult.RunAsync(
            "unshare",
            [.. unshare, "--propagation", "private", "/bin/sh", "-c", Confine, "sh", Path.Combine(Folder, project), program.Contains('/', StringComparison.Ordinal) ? program : $"./{program}", .. arguments],
            environment: new Dictionary<string, string> { ["HOME"] = "/tmp", ["TMPDIR"] = "/tmp", ["DOTNET_EnableDiagnostics"] = "0", ["PHI_IS_ROOT"] = Environment.UserName == "root" ? "1" : "0" });
    }
}

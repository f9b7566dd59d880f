using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.Chart.Tests;

/// <summary>
/// What images will hold, without an engine to build them: the published folders run as they will in a pod of the level "restricted", as
/// somebody who is not root, without capabilities, on a file system that cannot be written but for /tmp.
/// </summary>
public sealed partial class ImageTests(PublishedFolders published) : IClassFixture<PublishedFolders>
{
    public static TheoryData<string> Dockerfiles => [.. Directory.EnumerateFiles(PublishedFolders.Images, "*.Dockerfile").Select(path => Path.GetFileName(path))];

    [Theory]
    [InlineData("Phi.Cli", "phi", "--version", "0.1.0")]
    [InlineData("Phi.Cli", "phi", "operator --help", "--agent-url")]
    [InlineData("Phi.Cli", "phi", "telemetry migrate --help", "--wait")]
    [InlineData("Phi.Trainer", "phi-trainer", "--help", "agent")]
    public async Task Program_AsAPodRunsIt_Starts(string project, string program, string arguments, string says) =>
        Assert.Contains(says, (await published.RunAsync(project, program, arguments.Split(' '))).Ok().Output, StringComparison.Ordinal);

    /// <summary>SQLite's library is native and lies among the published files.</summary>
    [Fact]
    public async Task Migration_AsAPodRunsIt_MakesADatabase() =>
        Assert.Contains("applied ", (await published.RunAsync("Phi.Cli", "phi", "telemetry", "migrate", "--telemetry", "/tmp/telemetry.db")).Ok().Output, StringComparison.Ordinal);

    /// <summary>That libtorch is found and loads is seen by the error, which is of the checkpoint and not of a library.</summary>
    [Fact]
    public async Task Torch_AsAPodRunsIt_Loads()
    {
        var result = await published.RunAsync("Phi.Trainer", "phi-trainer", "sample", "--checkpoint", "/nowhere", "--prompt", "a");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("/nowhere", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("=> not found", (await published.RunAsync("Phi.Trainer", "/usr/bin/ldd", "libLibTorchSharp.so")).Ok().Output, StringComparison.Ordinal);
    }

    /// <summary>Else the tests above would show nothing.</summary>
    [Fact]
    public async Task Pod_CannotWriteOrBecomeRoot()
    {
        Assert.Equal("65532", (await published.RunAsync("Phi.Cli", "/usr/bin/id", "-u")).Ok().Output.Trim());
        Assert.Contains("Read-only file system", (await published.RunAsync("Phi.Cli", "/usr/bin/touch", "/var/tmp/x")).Error, StringComparison.Ordinal);
        (await published.RunAsync("Phi.Cli", "/usr/bin/touch", "/tmp/x")).Ok();
    }

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Dockerfile_PinsItsBases_AndIsNobodyWithAName(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(PublishedFolders.Images, file));
        var bases = lines.Where(line => line.StartsWith("ARG ", StringComparison.Ordinal) && line.Contains('/', StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(bases);
        Assert.All(bases, line => Assert.Matches(PinnedTag(), line));
        Assert.All(lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)), line => Assert.StartsWith("FROM ${", line, StringComparison.Ordinal));
        Assert.Equal("USER 65532:65532", Assert.Single(lines, line => line.StartsWith("USER ", StringComparison.Ordinal)));
        Assert.StartsWith("COPY . .", Assert.Single(lines, line => line.StartsWith("COPY .", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_WithoutAnEngine_SaysWhatToInstall()
    {
        var none = Directory.CreateDirectory(Path.Combine(published.Folder, "no engine")).FullName;
        foreach (var tool in new[] { "bash", "dirname", "sed", "env" })
        {
            File.CreateSymbolicLink(Path.Combine(none, tool), Path.Combine("/usr/bin", tool));
        }

        var refused = await CommandResult.RunAsync(Path.Combine(PublishedFolders.Images, "build.sh"), [], environment: new Dictionary<string, string> { ["PATH"] = none, ["PHI_ENGINE"] = "" });
        var wrong = await CommandResult.RunAsync(Path.Combine(PublishedFolders.Images, "build.sh"), ["operator"]);

        Assert.Equal((2, 2), (refused.ExitCode, wrong.ExitCode));
        Assert.Contains("neither docker nor podman", refused.Error, StringComparison.Ordinal);
        Assert.Contains("'operator' is none of", wrong.Error, StringComparison.Ordinal);
    }

    /// <summary>The engine is asked for each image, with the tag of the version and the bases that were named.</summary>
    [Fact]
    public async Task Build_WithAnEngine_AsksItForEachImage()
    {
        var (engine, asked) = (Path.Combine(published.Folder, "engine"), Path.Combine(published.Folder, "asked"));
        await File.WriteAllTextAsync(engine, $"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{asked}'\n");
        File.SetUnixFileMode(engine, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var built = await CommandResult.RunAsync(
            Path.Combine(PublishedFolders.Images, "build.sh"), ["--registry", "registry.example/phi", "--tag", "9.9.9", "--push", "phi"],
            environment: new Dictionary<string, string> { ["PHI_ENGINE"] = engine, ["PHI_IMAGE_RUNTIME"] = "mirror.example/aspnet:1" });

        Assert.Equal("registry.example/phi/phi:9.9.9", built.Ok().Output.Trim());
        Assert.Equal(
            ["info", $"build --file {PublishedFolders.Images}/phi.Dockerfile --build-arg VERSION=9.9.9 --build-arg RUNTIME=mirror.example/aspnet:1 --tag registry.example/phi/phi:9.9.9 {Repository.Root}", "push registry.example/phi/phi:9.9.9"],
            await File.ReadAllLinesAsync(asked, TestContext.Current.CancellationToken));
        var bill = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "artifacts", "images", "phi-9.9.9.cdx.json"), TestContext.Current.CancellationToken))!;
        Assert.Equal("CycloneDX", (string?)bill["bomFormat"]);
        Assert.Contains(bill["components"]!.AsArray(), one => (string?)one!["name"] == "Npgsql" && (string?)one["version"] is { Length: > 0 });
        Assert.DoesNotContain(bill["components"]!.AsArray(), one => ((string)one!["name"]!).StartsWith("xunit", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^ARG [A-Z]+=[a-z0-9.]+/[-a-z0-9./]+:[0-9]+\.[0-9]+\.[-a-z0-9.]+$")]
    private static partial Regex PinnedTag();
}

using System.Diagnostics;

namespace Phi.Dashboard.Tests;

/// <summary>Scripts of others that are kept here, so that a build needs no npm, are what npm gives by the lock file.</summary>
public sealed class VendorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi vendor ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Vendor_EveryFile_IsThatOfTheLockedPackage()
    {
        var project = Path.Combine(Repository.Root, "dashboard", "Phi.Dashboard");
        foreach (var name in new[] { "package.json", "package-lock.json" })
        {
            File.Copy(Path.Combine(project, name), Path.Combine(_folder, name));
        }

        using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (npm.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), npm.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await npm.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(npm.ExitCode == 0, await output + await error);

        foreach (var file in new[] { "uPlot.iife.min.js", "uPlot.min.css" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "node_modules", "uplot", "dist", file)), File.ReadAllBytes(Path.Combine(project, "wwwroot", "vendor", "uplot", file)));
        }
    }
}

using System.Diagnostics;

namespace Phi.ElfPatch.Tests;

/// <summary>On TorchSharp's own library, as the build gets it from its package.</summary>
public sealed class WeakVersionPatchTests : IDisposable
{
    private const string Version = "GLIBCXX_3.4.32";
    private const string Symbol = "_ZSt21ios_base_library_initv";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi-elf-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Apply_HostLacksTheVersion_ChangesOneByteOfACopyOnly()
    {
        var library = Copy();
        var link = Path.Combine(_folder, "link.so");
        Assert.Equal(0, Run("ln", library, link));
        var before = File.ReadAllBytes(library);

        var outcome = WeakVersionPatch.Apply(library, Version, Symbol, OldHost());

        var after = File.ReadAllBytes(library);
        Assert.Equal(PatchOutcome.Patched, outcome);
        Assert.Equal(before.Length, after.Length);
        Assert.Equal(1, before.Zip(after).Count(pair => pair.First != pair.Second));
        Assert.True(new ElfFile(after).Needs().Single(need => need.Name == Version).IsWeak);
        Assert.Equal(before, File.ReadAllBytes(link));
    }

    [Fact]
    public void Apply_Again_ChangesNothing()
    {
        var library = Copy();
        WeakVersionPatch.Apply(library, Version, Symbol, OldHost());

        Assert.Equal(PatchOutcome.AlreadyWeak, WeakVersionPatch.Apply(library, Version, Symbol, OldHost()));
    }

    [Fact]
    public void Apply_HostOffersTheVersion_ChangesNothing()
    {
        var library = Copy();
        var host = Path.Combine(_folder, "new-host.so");
        File.WriteAllText(host, $"x\0{Version}\0y");

        Assert.Equal(PatchOutcome.NotNeeded, WeakVersionPatch.Apply(library, Version, Symbol, host));
        Assert.Equal(File.ReadAllBytes(Source()), File.ReadAllBytes(library));
    }

    [Fact]
    public void Apply_AnotherSymbolAsksForTheVersion_RefusesAndNamesIt()
    {
        var library = Copy();

        var error = Assert.Throws<ElfException>(() => WeakVersionPatch.Apply(library, Version, "_other", OldHost()));

        Assert.Contains(Symbol, error.Message, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Source()), File.ReadAllBytes(library));
    }

    [Fact]
    public void Apply_VersionThatRelocationsNeed_Refuses()
    {
        var library = Copy();
        var elf = new ElfFile(File.ReadAllBytes(library));
        var used = elf.Needs().First(need => elf.SymbolsOf(need.Index).Count == 1 && elf.RelocatedSymbolsOf(need.Index).Count == 1);

        var error = Assert.Throws<ElfException>(() => WeakVersionPatch.Apply(library, used.Name, elf.SymbolsOf(used.Index)[0], OldHost()));

        Assert.Contains("relocation", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(5000)]
    public void Apply_FileThatIsCutOff_Refuses(int length)
    {
        var library = Path.Combine(_folder, "cut.so");
        File.WriteAllBytes(library, File.ReadAllBytes(Source())[..length]);

        Assert.Throws<ElfException>(() => WeakVersionPatch.Apply(library, Version, Symbol, OldHost()));
    }

    private string OldHost()
    {
        var host = Path.Combine(_folder, "old-host.so");
        File.WriteAllText(host, "x\0GLIBCXX_3.4.30\0y");
        return host;
    }

    private string Copy()
    {
        var copy = Path.Combine(_folder, "libLibTorchSharp.so");
        File.Copy(Source(), copy);
        return copy;
    }

    private static string Source()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        return Path.Combine(packages, "torchsharp/0.107.0/runtimes/linux-x64/native/libLibTorchSharp.so");
    }

    private static int Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}

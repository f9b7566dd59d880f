using Phi.Data.Sources;

namespace Phi.Data.Tests;

/// <summary>Sources on a real file system.</summary>
public sealed class DataSourcesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi data ").FullName;

    public DataSourcesTests()
    {
        Write("lib/python3.1/a.py", "abc");
        Write("lib/python3.1/sub/b.py", "de");
        Write("lib/python3.1/sub/c.txt", "no");
        Write("lib/other/d.py", "no");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Resolve_AGlob_FindsTheFilesBelowMatchingFolders() =>
        Assert.Equal([Place("lib/python3.1/a.py"), Place("lib/python3.1/sub/b.py")], DataSources.Resolve([Place("lib/python3*/**/*.py")]));

    [Fact]
    public void Resolve_FilesAndFolders_AreTakenOnce() =>
        Assert.Equal([Place("lib/other/d.py"), Place("lib/python3.1/a.py")], DataSources.Resolve([Place("lib/python3.1/a.py"), Place("lib/other"), Place("lib/python3.1/a.py")]));

    [Theory]
    [InlineData("/nowhere/python3*/**/*.py", "apt-get install libpython3-stdlib")]
    [InlineData("relative/*.py", "Write an absolute path")]
    [InlineData("https://example.com/x.py", "Copy the files to the nodes")]
    public void Resolve_WhatIsNotThere_NamesTheSourceAndTheRemedy(string source, string remedy)
    {
        var error = Assert.Throws<DataException>(() => DataSources.Resolve([source]));

        Assert.Contains(source, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ALinkThatLeadsToItself_IsNamed()
    {
        File.CreateSymbolicLink(Place("lib/other/loop.py"), Place("lib/other/loop.py"));

        var error = Assert.Throws<DataException>(() => DataSources.Resolve([Place("lib/other")]).Select(SourceFile.Of).ToList());

        Assert.Contains("loop.py", error.Message, StringComparison.Ordinal);
    }

    private string Place(string path) => Path.Combine(_folder, path);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Place(path))!);
        File.WriteAllText(Place(path), text);
    }
}

using System.Text;

namespace Phi.Evaluation.Tests;

/// <summary>A temporary folder; its name has a space.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("phi evaluation ").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, string text)
    {
        File.WriteAllBytes(this[name], Encoding.UTF8.GetBytes(text));
        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

using Phi.Evaluation.Sandbox;

namespace Phi.Evaluation.Tests;

/// <summary>A sandbox with small limits, and the question what is left of it.</summary>
public sealed class Sandboxes : IAsyncLifetime
{
    public const string Addition = "def f(x):\n    return x + 1\n";

    /// <summary>What a program of these tests is asked.</summary>
    private const string Test = "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(10) == 11\n";

    public PythonSandbox Sandbox { get; private set; } = null!;

    public static SandboxLimits Limits { get; } = new() { Time = TimeSpan.FromSeconds(20), MemoryBytes = 256 << 20, Processes = 8, FileBytes = 1 << 20, WorkBytes = 2 << 20, OutputBytes = 1000 };

    public async ValueTask InitializeAsync() => Sandbox = await PythonSandbox.CreateAsync(null, Limits, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Judges a program that is to add one, and finds that nothing of it is left.</summary>
    public Task<SandboxResult> RunAsync(string program) => RunAsync(new SandboxProgram { Program = program, Reference = Addition, EntryPoint = "f", Tests = [Test] });

    public async Task<SandboxResult> RunAsync(SandboxProgram program)
    {
        var result = await Sandbox.RunAsync(program, TestContext.Current.CancellationToken);
        Assert.Empty(Processes());
        return result;
    }

    /// <summary>Within a second: for programs that would go on for ever.</summary>
    public static Task<PythonSandbox> BriefAsync() => PythonSandbox.CreateAsync(null, Limits with { Time = TimeSpan.FromSeconds(1) }, TestContext.Current.CancellationToken);

    /// <summary>All processes of sandboxes that these tests started. What a program forks has the command line of the sandbox.</summary>
    public static List<int> Processes()
    {
        var script = Path.Combine(AppContext.BaseDirectory, "sandbox", "sandbox.py");
        return [.. Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0).Where(id => id > 0 && Holds(id, script))];
    }

    private static bool Holds(int id, string script)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Contains(script, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>One at a time: each looks for processes that are left.</summary>
[CollectionDefinition(Name)]
public sealed class SandboxCollection : ICollectionFixture<Sandboxes>
{
    public const string Name = "sandboxes";
}

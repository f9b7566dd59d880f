using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches.ColdStart;

/// <summary>How long a person waits for the command line: for a list of jobs, and for the first step of a first job.</summary>
internal sealed class ColdStartBench : IBench
{
    private readonly Option<int> _callsOption = new("--calls") { Description = "Of each command.", DefaultValueFactory = _ => 10 };
    private int _calls = 10;

    public string Name => "cold-start";

    public string Description => "seconds until phi get has answered, and until the first step of phi run on a machine that has nothing yet";

    public IReadOnlyList<Option> Options => [_callsOption];

    public void Configure(ParseResult parsed)
    {
        _calls = parsed.GetValue(_callsOption);
        if (_calls < 1)
        {
            throw new BenchException($"--calls is {_calls}; it must be at least 1");
        }
    }

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi-bench-cold-start-").FullName;
        try
        {
            await using var machine = new FreshMachine(folder);
            var firstStep = await machine.FirstStepAsync();
            // The job goes on beside what is measured now, were it not suspended.
            await machine.CallAsync(Executables.Cli, "suspend", "phi-tiny", "--wait");
            var direct = await machine.MedianAsync(_calls, Executables.Required(Executables.Cli), "get");
            var launched = await machine.MedianAsync(_calls, Executables.Launcher, "get");
            var bare = await machine.MedianAsync(_calls, Executables.Cli, "--version");
            return
            [
                Metric.AtMost("phi get on a local cluster, median", direct, "s", 0.3),
                Metric.AtMost("./phi get, median", launched, "s", 0.3),
                new Metric("phi --version, median", bare, "s"),
                Metric.AtMost("phi run of the sample with nothing started: first training step", firstStep, "s", 8),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

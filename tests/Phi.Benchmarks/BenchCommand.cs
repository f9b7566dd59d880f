using System.CommandLine;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Spectre.Console;

namespace Phi.Benchmarks;

/// <summary>
/// <c>phi bench</c>: lists the benches, or runs one. With <c>--output json</c> standard output has one JSON object and nothing else.
/// Exit codes: 0; 1 a bench cannot run here, or a rank failed; 2 wrong usage.
/// </summary>
internal sealed class BenchCommand(IReadOnlyList<IBench> benches, TextWriter output, TextWriter error)
{
    private const int Failed = 1;
    private const int Usage = 2;
    private readonly Option<string> _format = Format();

    public async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Measures this version on this machine; every ratio has both its sides measured in the run.") { _format };
        root.SetAction(async (_, _) => await output.WriteLineAsync(List()));
        foreach (var bench in benches)
        {
            root.Add(Command(bench));
        }

        root.Add(Hidden("worker", TrainingWorker.RunAsync));
        root.Add(Hidden("collective-worker", CollectiveWorker.RunAsync));
        var folder = new Argument<string>("folder");
        var server = new Command("api-server", "The embedded API server.") { folder };
        server.Hidden = true;
        server.SetAction((parse, _) => ApiServerWorker.RunAsync(parse.GetRequiredValue(folder)));
        root.Add(server);
        if (args is [var name, ..] && !name.StartsWith('-') && root.Subcommands.All(command => command.Name != name))
        {
            await error.WriteLineAsync($"phi bench: there is no bench '{name}'. The benches are:\n{List()}");
            return Usage;
        }

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await error.WriteLineAsync($"phi bench: {string.Join("\n", parsed.Errors.Select(problem => problem.Message))}");
            return Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
    }

    private Command Command(IBench bench)
    {
        var command = new Command(bench.Name, bench.Description);
        foreach (var option in bench.Options)
        {
            command.Add(option);
        }

        command.SetAction(async (parsed, _) =>
        {
            try
            {
                bench.Configure(parsed);
                var metrics = await bench.RunAsync();
                await PrintAsync(new BenchReport(bench.Name, bench.Machine, metrics), parsed.GetValue(_format) == "json");
                return 0;
            }
            catch (BenchException e)
            {
                await error.WriteLineAsync($"phi bench: {e.Message}");
                return Failed;
            }
        });
        return command;
    }

    private async Task PrintAsync(BenchReport report, bool json)
    {
        if (json)
        {
            await output.WriteLineAsync(report.ToJson());
        }
        else
        {
            report.Print(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }));
        }
    }

    private string List()
    {
        var width = benches.Max(bench => bench.Name.Length);
        return string.Join("\n", benches.Select(bench => $"  phi bench {bench.Name.PadRight(width)}  {bench.Description}"));
    }

    private static Option<string> Format()
    {
        var format = new Option<string>("--output", "-o") { Description = "table or json", DefaultValueFactory = _ => "table", Recursive = true };
        format.AcceptOnlyFromAmong("table", "json");
        return format;
    }

    private static Command Hidden(string name, Func<Task<int>> run)
    {
        var command = new Command(name, "One rank of a bench.") { Hidden = true };
        command.SetAction((_, _) => run());
        return command;
    }
}

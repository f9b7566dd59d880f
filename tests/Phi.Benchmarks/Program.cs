using System.CommandLine;
using Phi.Benchmarks;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Spectre.Console;

IBench[] benches = [new QuantizeBench(), new ZeroBench(), new LabBench(), new GpuQuantizeBench()];
var output = new Option<string>("--output", "-o") { Description = "table or json", DefaultValueFactory = _ => "table", Recursive = true };
output.AcceptOnlyFromAmong("table", "json");
var root = new RootCommand("Measures this version on this machine; every ratio has both its sides measured in the run.") { output };
foreach (var bench in benches)
{
    var command = new Command(bench.Name, bench.Description);
    command.SetAction(async parsed =>
    {
        try
        {
            var metrics = await bench.RunAsync();
            var report = new BenchReport(bench.Name, bench.Machine, metrics);
            if (parsed.GetValue(output) == "json")
            {
                Console.WriteLine(report.ToJson());
            }
            else
            {
                report.Print(AnsiConsole.Console);
            }

            return 0;
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"phi bench: {e.Message}");
            return 1;
        }
    });
    root.Add(command);
}

var worker = new Command("worker", "One rank of a bench.") { Hidden = true };
worker.SetAction(_ => TrainingWorker.RunAsync());
root.Add(worker);
return await root.Parse(args).InvokeAsync();

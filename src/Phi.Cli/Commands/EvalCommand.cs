using System.CommandLine;
using System.Globalization;
using Phi.Cli.Evaluation;
using Phi.Cli.Output;
using Phi.Evaluation;
using Phi.Evaluation.Generation;
using Phi.Evaluation.Sandbox;
using Phi.Evaluation.Suites;

namespace Phi.Cli.Commands;

/// <summary><c>phi eval</c>: how many problems of a suite a model solves. Every program runs in a sandbox (<c>src/Phi.Evaluation/README.md</c>).</summary>
internal static class EvalCommand
{
    private const int MostSamples = 10_000;

    public static Command Create()
    {
        var suite = new Option<string>("--suite") { Description = "humaneval or mbpp.", Required = true };
        suite.AcceptOnlyFromAmong("humaneval", "mbpp");
        var file = new Option<string>("--file") { Description = "The suite's file as it is published, or its http or https address: HumanEval.jsonl.gz, mbpp.jsonl or sanitized-mbpp.json.", Required = true };
        var sha256 = new Option<string?>("--sha256") { Description = "Digest that the file must have. An address needs it, unless the digest is one that is known." };
        var references = new Option<bool>("--references") { Description = "Judge the suite's own solutions: each must pass." };
        var completions = new Option<FileInfo?>("--completions") { Description = "Judge these: JSON Lines of task_id and completion." };
        var checkpoint = new Option<string?>("--checkpoint") { Description = "Judge what this model writes: a committed checkpoint, or the folder that holds several." };
        var fromHf = new Option<string?>("--from-hf") { Description = "A Hugging Face phi folder, instead of a checkpoint." };
        var samples = Number("--samples", "Completions of each problem that the model writes.", 1, MostSamples);
        var temperature = new Option<string>("--temperature") { Description = "0 takes the likeliest token each time; more is more varied. Default 0 with one sample, else 0.8." };
        var topP = new Option<string>("--top-p") { Description = "Choose from the fewest tokens whose probabilities sum to it. Default 0.95.", DefaultValueFactory = _ => "0.95" };
        var topK = new Option<string>("--top-k") { Description = "Choose from so many of the likeliest tokens; 0: all. Default 0.", DefaultValueFactory = _ => "0" };
        var seed = new Option<string>("--seed") { Description = "The same seed gives the same completions. Default 1.", DefaultValueFactory = _ => "1" };
        var maxTokens = Number("--max-tokens", "Most tokens of a completion.", 512, 1 << 20);
        var batchSize = Number("--batch-size", "Completions that are generated at a time.", 16, 4096);
        var device = new Option<string?>("--device") { Description = "Where the model runs: cpu, or a GPU as cuda or cuda:0. Default cpu." };
        var k = new Option<int[]>("--k")
        {
            Description = "Of pass@k, one or several with commas. Default 1.",
            CustomParser = result => Ks(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", result.AddError),
            DefaultValueFactory = _ => [1],
        };
        var limit = new Option<int?>("--limit") { Description = "The suite's first problems alone." };
        limit.Validators.Add(result => Bound(result, 1, int.MaxValue));
        var truncate = new Option<bool>("--truncate") { Description = "Cut completions at the suite's stop sequences first. What a model is asked for here always is." };
        var partial = new Option<bool>("--partial") { Description = "Score the problems that have completions; the others are left out." };
        var timeout = Number("--timeout", "Seconds that a program may take.", 10, 3600);
        var memory = Number("--memory-mib", "Memory of a program, in MiB.", 1024, 1 << 20, least: 64);
        var workers = Number("--workers", "Programs judged at a time.", Environment.ProcessorCount, 1024, shown: "one for each processor");
        var python = new Option<string?>("--python") { Description = "Python 3.9 or newer. Default /usr/bin/python3, else python3 on the PATH." };
        var output = new Option<string?>("--output") { Description = "Folder for completions, verdicts and the summary. The same command continues one that was interrupted." };
        var failing = new Option<bool>("--failing") { Description = "Show each program that did not pass, and what it printed." };
        var format = new Option<string>("--format", "-o") { Description = "text, json or yaml.", DefaultValueFactory = _ => OutputFormat.Text };
        format.AcceptOnlyFromAmong(OutputFormat.Text, OutputFormat.Json, OutputFormat.Yaml);

        var command = new Command("eval", "Judge a code model by HumanEval or MBPP: pass@k.")
        {
            suite, file, sha256, references, completions, checkpoint, fromHf, samples, temperature, topP, topK, seed, maxTokens, batchSize, device, k, limit, truncate, partial, timeout, memory, workers, python, output, failing, format,
        };
        command.WithExamples(
            "phi eval --suite humaneval --file HumanEval.jsonl.gz --references",
            "phi eval --suite humaneval --file HumanEval.jsonl.gz --completions samples.jsonl -o json",
            "phi eval --suite humaneval --file HumanEval.jsonl.gz --from-hf model --output results");
        command.Validators.Add(result =>
        {
            bool[] given = [result.GetValue(references), result.GetValue(completions) is not null, result.GetValue(checkpoint) is not null, result.GetValue(fromHf) is not null];
            if (given.Count(one => one) is var count and not 1)
            {
                result.AddError(count == 0
                    ? "One of --references, --completions, --checkpoint and --from-hf is required: what is judged."
                    : "Exactly one of --references, --completions, --checkpoint and --from-hf says what is judged.");
            }

            if ((given[2] || given[3]) && result.GetValue(output) is null)
            {
                result.AddError("--output is required with --checkpoint and --from-hf: completions are kept there, and continued from.");
            }
        });
        command.SetAction((parse, cancellationToken) => GuardedAsync(async () =>
        {
            using var interrupt = new InterruptSignal(cancellationToken);
            var count = parse.GetValue(samples);
            var hasModel = parse.GetValue(checkpoint) is not null || parse.GetValue(fromHf) is not null;
            var request = new EvaluationRequest
            {
                Kind = parse.GetValue(suite) == "mbpp" ? SuiteKind.Mbpp : SuiteKind.HumanEval,
                File = parse.GetRequiredValue(file),
                Sha256 = parse.GetValue(sha256),
                Completions = parse.GetValue(completions)?.FullName,
                Model = !hasModel ? null : new GenerationRequest
                {
                    Checkpoint = parse.GetValue(checkpoint),
                    FromHuggingFace = parse.GetValue(fromHf),
                    Samples = count,
                    Temperature = parse.GetValue(temperature) ?? (count == 1 ? "0" : "0.8"),
                    TopP = parse.GetRequiredValue(topP),
                    TopK = parse.GetRequiredValue(topK),
                    Seed = parse.GetRequiredValue(seed),
                    MaxTokens = parse.GetValue(maxTokens),
                    BatchSize = parse.GetValue(batchSize),
                    Device = parse.GetValue(device),
                },
                Ks = parse.GetRequiredValue(k),
                Limit = parse.GetValue(limit),
                Truncate = parse.GetValue(truncate),
                IsPartial = parse.GetValue(partial),
                Limits = new SandboxLimits { Time = TimeSpan.FromSeconds(parse.GetValue(timeout)), MemoryBytes = (long)parse.GetValue(memory) << 20 },
                Workers = parse.GetValue(workers),
                Python = parse.GetValue(python),
                Output = parse.GetValue(output) is { } folder ? Path.GetFullPath(folder) : null,
            };
            var (report, code) = await EvaluationRun.RunAsync(request, parse.GetValue(failing), interrupt.Token);
            OutputFormat.Print(report, parse.GetValue(format), EvaluationText.Write);
            if (code == ExitCodes.Succeeded && parse.GetValue(references) && report.Passed < report.Samples)
            {
                await Console.Error.WriteLineAsync($"phi: {report.Samples - report.Passed} of the suite's own solutions did not pass: on this machine no model can be judged by them. --failing shows why; a larger --timeout may help.");
                return ExitCodes.InvalidData;
            }

            return code;
        }));
        return command;
    }

    private static async Task<int> GuardedAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (EvaluationException e)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
        catch (SandboxException e)
        {
            throw new CliException(e.Message, ExitCodes.Usage);
        }
    }

    private static Option<int> Number(string name, string description, int standard, int most, int least = 1, string? shown = null)
    {
        var option = new Option<int>(name) { Description = $"{description} Default {shown ?? standard.ToString(CultureInfo.InvariantCulture)}.", DefaultValueFactory = _ => standard };
        option.Validators.Add(result => Bound(result, least, most));
        return option;
    }

    private static void Bound(System.CommandLine.Parsing.OptionResult result, int least, int most)
    {
        // Text that is no number has its own error.
        if (result.Tokens is [var given] && int.TryParse(given.Value, CultureInfo.InvariantCulture, out var value) && (value < least || value > most))
        {
            result.AddError($"{result.Option.Name} is {given.Value}; it must be from {least} to {most}.");
        }
    }

    private static int[] Ks(string given, Action<string> refuse)
    {
        var parts = given.Split(',', StringSplitOptions.TrimEntries);
        int[] ks = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var one) ? one : 0)];
        if (ks.Any(one => one is < 1 or > MostSamples))
        {
            refuse($"--k is {given}; it must be numbers from 1 to {MostSamples} with commas between, such as 1,10,100.");
        }

        return ks;
    }
}

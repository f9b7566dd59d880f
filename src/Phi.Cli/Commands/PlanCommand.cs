using System.CommandLine;
using Phi.Api.TrainingJobs;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Planning;
using Phi.Planning.Hardware;
using Phi.Planning.Reports;
using Phi.Planning.Shapes;

namespace Phi.Cli.Commands;

/// <summary><c>phi plan MANIFEST</c>: what a job will need and take, computed before anything runs.</summary>
internal static class PlanCommand
{
    private const int MostSimulated = 8192;

    public static Command Create()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob; - for standard input." }.Completing(CompletionKind.File);
        var compare = new Option<string[]?>("--compare")
        {
            Description = "Beside the job: other manifests, or settings such as zero.stage=2 or phi.batch.micro=4,phi.activationCheckpointing=full. Alone: the usual alternatives.",
            Arity = ArgumentArity.ZeroOrMore, AllowMultipleArgumentsPerToken = true,
        };
        var simulate = new Option<int?>("--simulate") { Description = "Play the step on so many of the job's nodes, rank by rank, and on fewer; say how it scales." };
        var failures = new Option<double?>("--mtbf") { Description = "Mean hours between two failures of one node: play runs that fail, and find the best interval of checkpoints." };
        var restart = new Option<double>("--restart") { Description = "Seconds from a failure until the ranks load their checkpoint. Default 120.", DefaultValueFactory = _ => 120 };
        var jitter = new Option<double>("--jitter") { Description = "Of --simulate: spread of a computation's time, as a share of it. Default 0.01.", DefaultValueFactory = _ => 0.01 };
        var (machine, output) = (new MachineOptions(), OutputFormat.Report());
        var command = new Command("plan", "Say what a job will need and take before it runs: memory, traffic, time, what fits and what would.") { manifest, compare, simulate, failures, restart, jitter, output };
        machine.AddTo(command);
        Bound(simulate, 1, MostSimulated);
        Bound(failures, 1e-3, 1e9);
        Bound(restart, 0, 1e6);
        Bound(jitter, 0, 1);
        command.WithExamples("phi plan operators/samples/phi-1.yaml", "phi plan job.yaml --compare", "phi plan job.yaml --compare zero.stage=2 other.yaml", "phi plan job.yaml --simulate 48 --network 100 --mtbf 2000");
        command.SetAction(parse =>
        {
            var path = parse.GetRequiredValue(manifest);
            var file = ManifestFile.Read(path);
            var job = TrainingJobDefaults.Apply(PlannedJob.Read(file, path));
            var described = machine.Of(parse, job.Spec.Accelerator!) is { } found ? found with { Jitter = parse.GetValue(jitter) } : null;
            if (parse.GetResult(compare) is not null)
            {
                var comparison = Comparison(parse.GetValue(compare) ?? [], file, job, machine, parse);
                OutputFormat.Print(comparison, parse.GetValue(output), PlanText.Write, to: parse.InvocationConfiguration.Output);
                return ExitCodes.Succeeded;
            }

            var options = new PlanOptions
            {
                SimulatedNodes = parse.GetValue(simulate), Restart = TimeSpan.FromSeconds(parse.GetValue(restart)),
                NodeMeanTimeBetweenFailures = parse.GetValue(failures) is { } hours ? TimeSpan.FromHours(hours) : null,
            };
            if ((options.SimulatedNodes ?? options.NodeMeanTimeBetweenFailures as object) is not null)
            {
                _ = Known(job, described);
            }

            OutputFormat.Print(Planner.Plan(job, described, options), parse.GetValue(output), PlanText.Write, to: parse.InvocationConfiguration.Output);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static PlanComparison Comparison(string[] others, ManifestFile file, TrainingJob job, MachineOptions machine, ParseResult parse)
    {
        var first = Known(job, machine.Of(parse, job.Spec.Accelerator!));
        if (others is [])
        {
            return new PlanComparison(job.Metadata.Name!, [.. Alternatives.Usual(JobShape.Of(job.Spec)).Select(other => Planner.Alternative(other.Name, other.Shape, first, job.Spec))]);
        }

        var alternatives = new List<Alternative> { Planner.Alternative(job.Metadata.Name!, JobShape.Of(job.Spec), first, job.Spec) };
        foreach (var other in others)
        {
            var compared = TrainingJobDefaults.Apply(File.Exists(other) ? PlannedJob.Read(ManifestFile.Read(other), other) : PlannedJob.With(file, other));
            var on = Known(compared, machine.Of(parse, compared.Spec.Accelerator!));
            alternatives.Add(Planner.Alternative(other, JobShape.Of(compared.Spec), on, compared.Spec));
        }

        return new PlanComparison(job.Metadata.Name!, alternatives);
    }

    /// <summary>Times need a job whose program is known, on a machine whose figures are.</summary>
    private static Machine Known(TrainingJob job, Machine? machine) => job.Spec switch
    {
        { Phi: null } => throw new CliException($"{job.Metadata.Name}: spec.container is a program that is not looked into; only a phi job's time can be told", ExitCodes.Usage),
        { Phi.Model.VocabularySize: null } => throw new CliException($"{job.Metadata.Name}: spec.phi.model.vocabularySize is the tokenizer's, which is not read here; give it for times", ExitCodes.Usage),
        _ => machine ?? throw new CliException($"{job.Metadata.Name}: no figures are known of spec.accelerator.type '{job.Spec.Accelerator!.Type}'; give --tflops and --memory", ExitCodes.Usage),
    };

    private static void Bound<T>(Option<T> option, double least, double most) => option.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value) && !(value >= least && value <= most))
        {
            result.AddError(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{option.Name} {text} must be from {least} to {most}"));
        }
    });
}

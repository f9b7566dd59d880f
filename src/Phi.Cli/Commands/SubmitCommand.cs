using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Resources;
using Phi.Cli.Submission;

namespace Phi.Cli.Commands;

/// <summary><c>phi submit MANIFEST</c>.</summary>
internal static class SubmitCommand
{
    private const string Plain = "text";

    public static Command Create()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob; - for standard input." }.Completing(CompletionKind.File);
        var dryRun = new Option<string>("--dry-run") { Description = "server: the API server checks the manifest and keeps nothing. none.", DefaultValueFactory = _ => "none" };
        dryRun.AcceptOnlyFromAmong("server", "none");
        var force = new Option<bool>("--force-conflicts") { Description = "Take over fields whose values others set." };
        var output = OutputFormat.Of(Plain, Plain, OutputFormat.Name, OutputFormat.Json, OutputFormat.Yaml);
        var (options, wait) = (new ClusterOptions(), new WaitOptions("the job is over; the exit code is 6 if it failed"));
        var command = new Command("submit", "Create a job, or change the one of its name to what the manifest says; the API server says which changes are allowed.") { manifest, dryRun, force, output };
        wait.AddTo(command);
        options.AddTo(command);
        command.WithExamples("phi submit job.yaml", "phi submit job.yaml --wait --timeout 2h", "phi submit job.yaml --dry-run=server -o yaml");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var file = ManifestFile.Read(parse.GetRequiredValue(manifest), session.Namespace).In(options.Namespace(parse));
            var isDryRun = parse.GetRequiredValue(dryRun) == "server";
            if (isDryRun && wait.IsWait(parse))
            {
                throw new CliException("--dry-run=server and --wait are given; of a dry run there is nothing to wait for", ExitCodes.Usage);
            }

            var (verb, result) = await SubmitAsync(new JobSubmission(session, file), isDryRun, parse.GetValue(force), ct);
            if (!wait.IsWait(parse))
            {
                Print(result, verb + (isDryRun ? " (server dry run)" : ""), parse.GetRequiredValue(output), file.Job);
                return ExitCodes.Succeeded;
            }

            await Console.Error.WriteLineAsync($"{file.Job} {verb}");
            var job = (await wait.WaitAsync(parse, session, [file.Job], JobPhases.IsOver, ct))[0];
            Print(Resource(job), JobPhases.Words(job), parse.GetRequiredValue(output), file.Job);
            return job.Status?.Phase == TrainingPhase.Failed ? throw new CliException($"{file.Job} failed: {JobPhases.FailureMessage(job)}", ExitCodes.JobFailed) : ExitCodes.Succeeded;
        }));
        return command;
    }

    private static async Task<(string Verb, JsonObject Result)> SubmitAsync(JobSubmission submission, bool isDryRun, bool isForced, CancellationToken ct)
    {
        var live = await submission.LiveAsync(ct);
        var wanted = await submission.TryAsync(isForced, ct);
        var changes = live is null ? [] : ObjectDifference.Of(live, wanted);
        var result = isDryRun ? wanted : await submission.ApplyAsync(isForced, ct);
        if (live is not null && new JobRow(live).Phase is TrainingPhase.Succeeded or TrainingPhase.Failed)
        {
            await Console.Error.WriteLineAsync($"{submission.Job} is over ({new JobRow(live!).Phase}) and does not run again. Give the manifest another name, or remove it first: kubectl delete tj {submission.Job.Name} -n {submission.Job.Namespace}");
        }

        return (live is null ? "created" : changes.Count == 0 ? "unchanged" : "configured", result);
    }

    private static JsonObject Resource(TrainingJob job) => Phi.Kubernetes.ResourceJson.Write(job);

    private static void Print(JsonObject job, string verb, string format, JobName name)
    {
        switch (format)
        {
            case OutputFormat.Name:
                Console.WriteLine(ResourceKind.Job.Prefix + name.Name);
                break;
            case Plain:
                Console.WriteLine($"{ResourceKind.Job.Prefix}{name.Name} {verb}");
                break;
            default:
                OutputFormat.Write(KubernetesList.One(job), format, Console.Out);
                break;
        }
    }
}

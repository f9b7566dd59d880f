using System.CommandLine;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;

namespace Phi.Cli.Commands;

/// <summary><c>phi run MANIFEST</c>: apply, follow, sum up, sample.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob; - for standard input." }.Completing(CompletionKind.File);
        var home = CommonOptions.Home();
        var nodes = CommonOptions.Nodes();
        var slots = CommonOptions.Slots();
        var telemetry = CommonOptions.ClusterTelemetry();
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var command = new Command("run", "Train what a manifest describes on this machine, and follow it to the end.") { manifest, home, nodes, slots, telemetry, output };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var file = ManifestFile.Read(parse.GetRequiredValue(manifest));
            var folder = PhiHome.Resolve(parse.GetValue(home));
            List<string> up = [.. Size("--nodes", parse.GetValue(nodes)), .. Size("--slots", parse.GetValue(slots)), .. ClusterCommands.Telemetry(parse.GetValue(telemetry))];
            using var interrupt = new InterruptSignal(cancellationToken);
            var cluster = ClusterLauncher.EnsureAsync(folder, up, TimeProvider.System, interrupt.Token);
            using var session = await ClusterLauncher.ApiServerAsync(folder, cluster, TimeProvider.System, interrupt.Token);
            var run = new JobRun(new JobClient(session.Connection), file, cluster, new ProgressDisplay(TimeProvider.System), TimeProvider.System);
            var job = await run.FollowAsync(interrupt.Token);
            return await FinishAsync(job, file, folder, cluster.IsCompletedSuccessfully ? await cluster : null, parse.GetValue(output) == "json", parse.GetRequiredValue(manifest), interrupt.Token.IsCancellationRequested);
        });
        return command;
    }

    private static string[] Size(string option, int? value) =>
        value is { } given ? [option, given.ToString(System.Globalization.CultureInfo.InvariantCulture)] : [];

    private static async Task<int> FinishAsync(TrainingJob job, ManifestFile file, PhiHome home, ClusterState? cluster, bool json, string manifestPath, bool interrupted)
    {
        var summary = RunSummary.From(job, JobUrl(cluster, file.Job));
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(summary, PhiJson.Options));
        }
        else
        {
            SummaryText.Write(summary, job, Console.Out);
        }

        if (job.Status?.Phase == TrainingPhase.Succeeded)
        {
            if (!json && job is { Spec.Phi: not null, Status.Checkpoint.Uri: { } uri })
            {
                await SamplePrinter.PrintAsync(uri, home, Console.Out);
            }

            return ExitCodes.Succeeded;
        }

        if (job.Status?.Phase == TrainingPhase.Failed)
        {
            await Console.Error.WriteLineAsync($"The job failed: {JobPhases.FailureMessage(job)}");
            return ExitCodes.JobFailed;
        }

        if (interrupted)
        {
            await Console.Error.WriteLineAsync(
                $"Interrupted; {(job.Status?.Checkpoint?.Step is { } step ? $"step {step} is saved" : "no step was saved")}. Resume with: phi run {manifestPath}");
        }

        return ExitCodes.Interrupted;
    }

    /// <param name="cluster">Null: it was interrupted before the dashboard was there.</param>
    private static string JobUrl(ClusterState? cluster, JobName job)
    {
        if (cluster is null)
        {
            return "";
        }

        var root = new Uri(cluster.DashboardUrl);
        return new Uri(root, $"/jobs/{job.Namespace}/{job.Name}{root.Query}").ToString();
    }
}

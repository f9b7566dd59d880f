using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Jobs;
using Phi.Cli.Queues;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Commands;

/// <summary><c>phi why</c> and <c>phi queue</c>: what the operator would decide now, from the API server's state.</summary>
internal static class QueueCommands
{
    public static Command Why()
    {
        var job = new Argument<string>("job") { Description = "Name of a TrainingJob." };
        var @namespace = new Option<string>("--namespace", "-n") { Description = "Its namespace.", DefaultValueFactory = _ => "default" };
        var (kubeconfig, home, output) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home(), Output());
        var command = new Command("why", "Say why a job waits, or how it stands.") { job, @namespace, kubeconfig, home, output };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var name = new JobName(parse.GetRequiredValue(@namespace), parse.GetRequiredValue(job));
            var state = await QueueReading.ReadAsync(parse.GetValue(kubeconfig), parse.GetValue(home), TimeProvider.System, cancellationToken);
            var found = state.Jobs.FirstOrDefault(one => one.Metadata.Name == name.Name && one.Metadata.Namespace == name.Namespace)
                ?? throw new CliException($"there is no TrainingJob {name}; list them with kubectl get tj -A", ExitCodes.Usage);
            Print(WhyReport.Of(found, state), parse.GetValue(output), QueueText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    public static Command Queue() => new("queue", "Queues of jobs.") { List(), WhatIf() };

    private static Command List()
    {
        var (kubeconfig, home, output) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home(), Output());
        var command = new Command("ls", "List queues with their quotas, usage and jobs.") { kubeconfig, home, output };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var state = await QueueReading.ReadAsync(parse.GetValue(kubeconfig), parse.GetValue(home), TimeProvider.System, cancellationToken);
            Print(state, parse.GetValue(output), (_, to) =>
            {
                QueueText.WriteTable([["QUEUE", "ADMITTED", "PENDING", "PROBLEM"], .. state.Snapshot.Queues.Select(queue => new[] { queue.Name, Text(state.Decision.AdmittedJobs(queue.Name)), Text(state.Decision.PendingJobs(queue.Name)), queue.Problem ?? "-" })], to);
                to.WriteLine();
                QueueText.Write(state.Decision.Usage, to);
            }, () => state.Snapshot.Queues.Select(queue => new
            {
                queue.Name,
                queue.Cohort,
                queue.Order,
                queue.Problem,
                AdmittedJobs = state.Decision.AdmittedJobs(queue.Name),
                PendingJobs = state.Decision.PendingJobs(queue.Name),
                Usage = state.Decision.Usage.Where(usage => usage.Queue == queue.Name),
            }));
            return ExitCodes.Succeeded;
        });
        return command;

        static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
    }

    private static Command WhatIf()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob that names a queue; - for standard input." };
        var (kubeconfig, home, output) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home(), Output());
        var command = new Command("what-if", "Say what would become of a job, and of others by it. Changes nothing.") { manifest, kubeconfig, home, output };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var file = ManifestFile.Read(parse.GetRequiredValue(manifest));
            var state = await QueueReading.ReadAsync(parse.GetValue(kubeconfig), parse.GetValue(home), TimeProvider.System, cancellationToken);
            var job = Job(file, state);
            Print(WhatIfReport.Of(job, state.Snapshot), parse.GetValue(output), QueueText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static QueuedJob Job(ManifestFile file, QueueState state)
    {
        try
        {
            var spec = new JobManifest(file.Job.Namespace, file.Job.Name, file.Manifest).Spec();
            if (TrainingJobValidator.Validate(new TrainingJob { Metadata = new ObjectMeta { Name = file.Job.Name, Namespace = file.Job.Namespace }, Spec = spec }) is { Count: > 0 } errors)
            {
                throw new CliException($"{file.Job} is not valid:\n  {string.Join("\n  ", errors)}", ExitCodes.InvalidManifest);
            }

            return state.Hypothetical(file.Job.Namespace, file.Job.Name, spec) ?? throw new CliException($"{file.Job}: spec.queue: missing: is required here; name the queue that admits the job", ExitCodes.InvalidManifest);
        }
        catch (FormatException e)
        {
            throw new CliException($"{file.Job}: {e.Message}", ExitCodes.InvalidManifest);
        }
    }

    private static Option<string> Output()
    {
        var option = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    private static void Print<T>(T report, string? output, Action<T, TextWriter> text, Func<object>? json = null)
    {
        if (output == "json")
        {
            Console.WriteLine(JsonSerializer.Serialize(json?.Invoke() ?? report, PhiJson.Options));
        }
        else
        {
            text(report, Console.Out);
        }
    }
}

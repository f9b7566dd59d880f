using System.CommandLine;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Queues;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Commands;

/// <summary><c>phi why</c> and <c>phi queue</c>: what the operator would decide now, from the API server's state.</summary>
internal static class QueueCommands
{
    public static Command Why()
    {
        var job = new Argument<string>("job") { Description = "Name of a TrainingJob." }.Completing(CompletionKind.Job);
        var (options, output) = (new ClusterOptions(), OutputFormat.Report());
        var command = new Command("why", "Say why a job waits, or how it stands.") { job, output };
        options.AddTo(command);
        command.WithExamples("phi why phi-tiny");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var name = JobName.Parse(session.Namespace, parse.GetRequiredValue(job));
            var state = await QueueReading.ReadAsync(session, TimeProvider.System, ct);
            var found = state.Jobs.FirstOrDefault(one => one.Metadata.Name == name.Name && one.Metadata.Namespace == name.Namespace)
                ?? throw new CliException($"there is no TrainingJob {name}; list them with phi get -A", ExitCodes.Usage);
            OutputFormat.Print(WhyReport.Of(found, state), parse.GetValue(output), QueueText.Write);
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    public static Command Queue() => new("queue", "List queues with their use, and try a job on them.") { List(), WhatIf() };

    private static Command List()
    {
        var (options, output) = (new ClusterOptions(), OutputFormat.Listing());
        var command = new Command("ls", "List queues with their quotas, usage and jobs, as the operator would decide now.") { output };
        options.AddClusterTo(command);
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var state = await QueueReading.ReadAsync(session, TimeProvider.System, ct);
            QueueListing.Of(state).Write(QueueListing.Lines(state), parse.GetRequiredValue(output), Console.Out, Console.Error);
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static Command WhatIf()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob that names a queue; - for standard input." }.Completing(CompletionKind.File);
        var (options, output) = (new ClusterOptions(), OutputFormat.Report());
        var command = new Command("what-if", "Say what would become of a job, and of others by it. Changes nothing.") { manifest, output };
        options.AddTo(command);
        command.WithExamples("phi queue what-if job.yaml");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var file = ManifestFile.Read(parse.GetRequiredValue(manifest), session.Namespace).In(options.Namespace(parse));
            var state = await QueueReading.ReadAsync(session, TimeProvider.System, ct);
            OutputFormat.Print(WhatIfReport.Of(Job(file, state), state.Snapshot), parse.GetValue(output), QueueText.Write);
            return ExitCodes.Succeeded;
        }));
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
}

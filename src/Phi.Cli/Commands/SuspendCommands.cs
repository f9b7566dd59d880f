using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Resources;
using Phi.Cli.Submission;
using Phi.Kubernetes;

namespace Phi.Cli.Commands;

/// <summary><c>phi suspend</c> and <c>phi resume</c>: spec.suspend, as the dashboard sets it.</summary>
internal static class SuspendCommands
{
    public static Command Suspend() => Create("suspend", "Save a checkpoint of jobs and stop them; phi resume goes on from there.", "they are saved and stopped", true, JobPhases.IsSuspended, "phi suspend phi-tiny --wait");

    public static Command Resume() => Create("resume", "Let suspended jobs go on from their checkpoints, as soon as they are admitted.", "they train again", false, JobPhases.IsTraining, "phi resume phi-tiny --wait --timeout 10m");

    private static Command Create(string name, string description, string until, bool suspend, Predicate<TrainingJob> isDone, string example)
    {
        var jobs = new Argument<string[]>("job") { Description = "Names of TrainingJobs.", Arity = ArgumentArity.OneOrMore }.Completing(CompletionKind.Job);
        var (options, wait) = (new ClusterOptions(), new WaitOptions(until));
        var command = new Command(name, description) { jobs };
        wait.AddTo(command);
        options.AddTo(command);
        command.WithExamples(example);
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            List<JobName> names = [.. parse.GetRequiredValue(jobs).Select(text => JobName.Parse(session.Namespace, text))];
            foreach (var job in names)
            {
                Console.WriteLine($"{ResourceKind.Job.Prefix}{job.Name} {await SetAsync(session, job, suspend, ct)}");
            }

            if (wait.IsWait(parse))
            {
                // The operator's word on what was asked before is not one on this.
                var reached = await wait.WaitAsync(parse, session, names, job => (job.Status?.ObservedGeneration >= job.Metadata.Generation || JobPhases.IsOver(job)) && isDone(job), ct);
                foreach (var job in reached)
                {
                    Console.WriteLine($"{ResourceKind.Job.Prefix}{job.Metadata.Name} {JobPhases.Words(job)}");
                }
            }

            return ExitCodes.Succeeded;
        }));
        return command;
    }

    /// <returns>What came of it, in a word.</returns>
    private static async Task<string> SetAsync(ClusterSession session, JobName name, bool suspend, CancellationToken ct)
    {
        var client = session.Connection.TrainingJobs();
        var job = await client.GetAsync(name.Namespace, name.Name, ct) ?? throw new CliException($"there is no TrainingJob {name}; list them with phi get", ExitCodes.Usage);
        if (JobPhases.IsOver(job))
        {
            throw new CliException($"{name} is over ({job.Status?.Phase}); only a job that is not can be {(suspend ? "suspended" : "resumed")}", ExitCodes.Usage);
        }

        if (job.Metadata.Labels?.ContainsKey(PhiNames.KueueQueueLabel) == true)
        {
            await Console.Error.WriteLineAsync($"{name} is Kueue's to suspend and resume (label {PhiNames.KueueQueueLabel}); Kueue may set spec.suspend otherwise at once");
        }

        if ((job.Spec.Suspend ?? false) == suspend)
        {
            return suspend ? "is suspended already" : "is not suspended";
        }

        // With the uid: an object that has taken the name since is refused.
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = job.Metadata.Uid }, ["spec"] = new JsonObject { ["suspend"] = suspend } };
        await client.MergePatchAsync(name.Namespace, name.Name, patch, JobSubmission.Manager, null, ct);
        return suspend ? "suspended" : "resumed";
    }
}

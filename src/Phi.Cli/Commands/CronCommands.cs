using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Resources;
using Phi.Cli.Submission;
using Phi.Kubernetes;

namespace Phi.Cli.Commands;

/// <summary><c>phi cron</c>: CronTrainingJobs, and one of their jobs now, outside of the schedule.</summary>
internal static class CronCommands
{
    public static Command Create() => new("cron", "List, run, suspend and resume jobs on a schedule.") { List(), Run(), Suspend("suspend", "Create no further jobs until it is resumed.", true), Suspend("resume", "Follow the schedule again.", false) };

    private static Command List()
    {
        var (options, output) = (new ClusterOptions(), OutputFormat.Listing());
        var command = new Command("ls", "List schedules: when each ran last, and will next.") { output };
        options.AddListTo(command);
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var home = options.Listed(parse, session);
            var (items, _) = await new ResourceReader(session, ResourceKind.Cron).ListAsync(home, ct);
            List<ResourceRow> rows = [.. items.Select(item => new ResourceRow(item)).OrderBy(row => row.Namespace, StringComparer.Ordinal).ThenBy(row => row.Name, StringComparer.Ordinal)];
            ResourceListings.Crons(home, TimeProvider.System.GetUtcNow()).Write(rows, parse.GetRequiredValue(output), Console.Out, Console.Error);
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static Command Run()
    {
        var (name, options) = (Name(), new ClusterOptions());
        var command = new Command("run", "Create a job of a CronTrainingJob's template now.") { name };
        options.AddTo(command);
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var cron = new JobName(session.Namespace, parse.GetRequiredValue(name));
            var job = await new JobClient(session.Connection).CreateOfCronAsync(cron, ct);
            Console.WriteLine($"created job {job.Metadata.Name} of {cron}; follow it with: phi get {job.Metadata.Name} -n {cron.Namespace} -w");
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static Command Suspend(string verb, string description, bool suspend)
    {
        var (name, options) = (Name(), new ClusterOptions());
        var command = new Command(verb, description) { name };
        options.AddTo(command);
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var cron = await FindAsync(session, parse.GetRequiredValue(name), ct);
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = cron.Uid }, ["spec"] = new JsonObject { ["suspend"] = suspend } };
            await session.Connection.CronTrainingJobs().MergePatchAsync(cron.Namespace, cron.Name, patch, JobSubmission.Manager, null, ct);
            Console.WriteLine($"{ResourceKind.Cron.Prefix}{cron.Name} {verb}{(suspend ? "ed" : "d")}");
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static async Task<ResourceRow> FindAsync(ClusterSession session, string name, CancellationToken ct) =>
        await new ResourceReader(session, ResourceKind.Cron).GetAsync(session.Namespace, name, ct) is { } found
            ? new ResourceRow(found)
            : throw new CliException($"there is no CronTrainingJob {session.Namespace}/{name}; list them with phi cron ls -A", ExitCodes.Usage);

    private static Argument<string> Name() => new Argument<string>("name") { Description = "Name of a CronTrainingJob." }.Completing(CompletionKind.Cron);
}

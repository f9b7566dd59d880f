using System.CommandLine;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Kubernetes;

namespace Phi.Cli.Commands;

/// <summary><c>phi logs JOB</c>.</summary>
internal static class LogsCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("job") { Description = "Name of a TrainingJob." }.Completing(CompletionKind.Job);
        var options = new ClusterOptions();
        var follow = new Option<bool>("--follow", "-f") { Description = "Further lines as they come." };
        var pod = new Option<string?>("--pod") { Description = "One of its pods. Default: all." };
        var rank = new Option<int?>("--rank") { Description = "Lines of one rank. Default: all." };
        var tail = new Option<int>("--tail") { Description = "Lines of each pod before the present.", DefaultValueFactory = _ => 100 };
        tail.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
            {
                result.AddError("--tail must be at least 0.");
            }
        });
        var command = new Command("logs", "Print the logs of a job's pods.") { name, follow, pod, rank, tail };
        options.AddTo(command);
        command.WithExamples("phi logs phi-tiny -f --rank 0", "phi logs phi-tiny --pod phi-tiny-1 --tail 1000");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var wanted = JobName.Parse(session.Namespace, parse.GetRequiredValue(name));
            var job = await session.Connection.TrainingJobs().GetAsync(wanted.Namespace, wanted.Name, ct) ?? throw new CliException($"there is no TrainingJob {wanted}; list them with phi get", ExitCodes.Usage);
            var pods = await new JobLogs(session.Connection, Console.Out, Console.Error).WriteAsync(job, parse.GetValue(pod), parse.GetValue(rank), parse.GetValue(tail), parse.GetValue(follow), ct);
            return pods > 0
                ? ExitCodes.Succeeded
                : throw new CliException($"{wanted} has no pod{(parse.GetValue(pod) is { } given ? $" {given}" : "")} now; phi why {wanted.Name} says how it stands", ExitCodes.Usage);
        }));
        return command;
    }
}

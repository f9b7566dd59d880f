using System.CommandLine;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Description;
using Phi.Cli.Jobs;
using Phi.Cli.Queues;
using Phi.Kubernetes;

namespace Phi.Cli.Commands;

/// <summary><c>phi describe JOB</c>: everything that the cluster knows of a job, for people.</summary>
internal static class DescribeCommand
{
    public static Command Create()
    {
        var jobs = new Argument<string[]>("job") { Description = "Names of TrainingJobs.", Arity = ArgumentArity.OneOrMore }.Completing(CompletionKind.Job);
        var options = new ClusterOptions();
        var command = new Command("describe", "Tell all about a job: what it asks for, how it stands, what it waits for, its attempts, checkpoints, pods and events.") { jobs };
        options.AddTo(command);
        command.WithExamples("phi describe phi-tiny");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var isFirst = true;
            foreach (var name in parse.GetRequiredValue(jobs).Select(text => JobName.Parse(session.Namespace, text)))
            {
                if (!isFirst)
                {
                    Console.WriteLine();
                }

                JobDescription.Write(await ReadAsync(session, name, ct), TimeProvider.System.GetUtcNow(), Console.Out);
                isFirst = false;
            }

            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static async Task<DescribedJob> ReadAsync(ClusterSession session, JobName name, CancellationToken ct)
    {
        var job = await session.Connection.TrainingJobs().GetAsync(name.Namespace, name.Name, ct) ?? throw new CliException($"there is no TrainingJob {name}; list them with phi get -A", ExitCodes.Usage);
        return new DescribedJob(job, await WhyAsync(session, job, ct), await EventsAsync(session, name, ct));
    }

    /// <summary>Null: who asks may not read what the queues hold.</summary>
    private static async Task<WhyReport?> WhyAsync(ClusterSession session, TrainingJob job, CancellationToken ct)
    {
        try
        {
            return WhyReport.Of(job, await QueueReading.ReadAsync(session, TimeProvider.System, ct));
        }
        catch (KubernetesApiException e) when (e.Code == System.Net.HttpStatusCode.Forbidden)
        {
            return null;
        }
    }

    /// <summary>Those of the job itself and of its pods, which are named after it.</summary>
    private static async Task<IReadOnlyList<DescribedEvent>> EventsAsync(ClusterSession session, JobName name, CancellationToken ct)
    {
        var (events, _) = await session.Connection.Events().ListAsync(name.Namespace, $"&fieldSelector=involvedObject.name%3D{Uri.EscapeDataString(name.Name)},involvedObject.kind%3DTrainingJob", DescribedEvent.Of, ct);
        return [.. events.OrderBy(one => one.Last)];
    }
}

using System.CommandLine;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;

namespace Phi.Cli.Commands;

/// <summary><c>phi cron run NAME</c>: one of a CronTrainingJob's jobs now, outside of its schedule.</summary>
internal static class CronCommands
{
    public static Command Create() => new("cron", "Jobs on a schedule.") { Run() };

    private static Command Run()
    {
        var name = new Argument<string>("name") { Description = "Name of a CronTrainingJob." };
        var @namespace = new Option<string>("--namespace", "-n") { Description = "Its namespace.", DefaultValueFactory = _ => "default" };
        var home = CommonOptions.Home();
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "Kubeconfig of the cluster. Default: the local control plane's." };
        var command = new Command("run", "Create a job of a CronTrainingJob's template now.") { name, @namespace, home, kubeconfig };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var cron = new JobName(parse.GetRequiredValue(@namespace), parse.GetRequiredValue(name));
            using var client = new JobClient(parse.GetValue(kubeconfig) ?? PhiHome.Resolve(parse.GetValue(home)).Kubeconfig);
            var job = await client.CreateOfCronAsync(cron, cancellationToken);
            Console.WriteLine($"created job {job.Metadata.Name} of {cron}; follow it with: kubectl get tj {job.Metadata.Name} -n {cron.Namespace} -w");
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

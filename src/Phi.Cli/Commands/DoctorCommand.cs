using System.CommandLine;
using Phi.Cli.Cluster;
using Phi.Cli.Doctor;
using Phi.Cli.Output;

namespace Phi.Cli.Commands;

/// <summary><c>phi doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var options = new ClusterOptions();
        var account = new Option<string?>("--operator-account") { Description = "The operator's service account, as NAMESPACE/NAME. Default: the one named …phi-operator, else this kubeconfig's user." };
        var telemetry = new Option<string?>("--telemetry") { Description = "Telemetry store of the cluster. Default: $PHI_TELEMETRY, else that of the local control plane." };
        var dashboard = new Option<Uri?>("--dashboard") { Description = "Address of the cluster's dashboard. Default: that of the local control plane." };
        var output = OutputFormat.Report();
        var command = new Command("doctor", "Check a cluster, or this machine where there is none, and say what to do about each thing that is wrong. Ends with 9 if something failed.") { account, telemetry, dashboard, output };
        options.AddClusterTo(command);
        command.WithExamples("phi doctor", "phi doctor --kubeconfig ~/.kube/config --operator-account phi-system/phi-operator");
        command.SetAction(async (parse, ct) =>
        {
            var examination = new Examination(parse.GetValue(account), parse.GetValue(telemetry) ?? Environment.GetEnvironmentVariable(CommonOptions.TelemetryVariable), parse.GetValue(dashboard));
            var report = await ExamineAsync(options, parse, examination, ct);
            OutputFormat.Print(report, parse.GetValue(output), DoctorReport.Write);
            return report.IsHealthy ? ExitCodes.Succeeded : ExitCodes.Unhealthy;
        });
        return command;
    }

    private static async Task<DoctorReport> ExamineAsync(ClusterOptions options, ParseResult parse, Examination examination, CancellationToken ct)
    {
        if (options.FindTarget(parse) is not { } target)
        {
            return Examination.Machine(Surroundings.Real.PhiHome());
        }

        // kubectl and pods come through TLS: that is what is examined.
        using var session = options.Open(parse, target with { Socket = null });
        return await examination.RunAsync(session, TimeProvider.System, ct);
    }
}

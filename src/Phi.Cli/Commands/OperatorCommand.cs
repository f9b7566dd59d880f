using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Operator;

namespace Phi.Cli.Commands;

/// <summary><c>phi operator</c>: one replica of the operator, against any API server.</summary>
internal static class OperatorCommand
{
    private static readonly Option<string?> Kubeconfig = new("--kubeconfig") { Description = "Kubeconfig of the cluster to join. Default: the service account of the pod that it runs in." };
    private static readonly Option<string> State = new("--state") { Description = "Folder for what a restart keeps.", Required = true };
    private static readonly Option<string> Telemetry = CommonOptions.Telemetry();
    private static readonly Option<string> TelemetryRetention = new("--telemetry-retention")
    {
        Description = "How long a run stays in the telemetry store after its last activity, once its job is gone, and an audit entry; 0: for ever. Default 2160h.",
        DefaultValueFactory = _ => "2160h",
        CustomParser = result => Retention(result.Tokens[0].Value) is null ? Refuse<string>(result, "0 or a duration, such as 2160h") : result.Tokens[0].Value,
    };

    private static readonly Option<string?> CheckpointRoot = new("--checkpoint-root") { Description = "Folder of the jobs' checkpoints, if this machine sees it: what ended attempts never committed is removed from there. Default: nothing is." };
    private static readonly Option<IPAddress> Bind = new("--bind-address")
    {
        Description = "Address that the agent API and the health endpoints listen on. Default 127.0.0.1.",
        DefaultValueFactory = _ => IPAddress.Loopback,
        CustomParser = result => IPAddress.TryParse(result.Tokens[0].Value, out var address) ? address : Refuse<IPAddress>(result, "an IP address, such as 0.0.0.0"),
    };

    private static readonly Option<int> AgentPort = new("--agent-port") { Description = "Port of the agent API. Default: a free one, kept over restarts." };
    private static readonly Option<Uri?> AgentUrl = Url("--agent-url", "URL under which new pods look for the agent API, such as a Service's. Default: that of --peer-url.");
    private static readonly Option<Uri?> PeerUrl = Url("--peer-url", "URL under which other replicas reach this one. Default: the bound address, or the machine's if that is all.");
    private static readonly Option<string?> TlsCertificate = new("--tls-cert-file") { Description = "Certificate of the agent API with those between it and its authority, in PEM; read again when it changes. Default: one of the operator's own authority, kept in a Secret." };
    private static readonly Option<string?> TlsKey = new("--tls-key-file") { Description = "Key of --tls-cert-file." };
    private static readonly Option<string?> TlsAuthority = new("--tls-ca-file") { Description = "Authority of --tls-cert-file, which new pods trust. Default: it is in --tls-cert-file." };
    private static readonly Option<int?> HealthPort = new("--health-port") { Description = "Port of /healthz, /readyz and /metrics; 0: a free one, told in the log. Default: none are served." };
    private static readonly Option<bool> LeaderElect = new("--leader-elect") { Description = "Of several replicas only the holder of a Lease acts. Default true.", DefaultValueFactory = _ => true };
    private static readonly Option<string?> LeaseNamespace = new("--lease-namespace") { Description = "Namespace of the Lease. Default: the operator's own, else kube-system." };
    private static readonly Option<bool> Simulate = new("--simulate-execution") { Description = "Give jobs quota but no pods; each ends when the time in its simulated-runtime annotation is over. To measure the control plane." };
    private static readonly Option<string?> Identity = new("--identity") { Description = "This replica's name, which no other may have. Default: the host's name and random digits." };

    private static readonly Option<string[]> WatchNamespace = CommonOptions.WatchNamespaces("Namespace whose jobs and schedules are this operator's; may be given several times. Default: all. Operators of one cluster must share neither a namespace nor a telemetry store.");
    private static readonly Option<string?> TrainerImage = new("--trainer-image") { Description = "Image of the built-in trainer, for jobs that name none. Default phi-trainer:latest." };

    public static Command Create()
    {
        var withParent = CommonOptions.StopWithParent();
        var command = new Command("operator", "Run the operator against a cluster.")
        {
            Kubeconfig, State, Telemetry, TelemetryRetention, CheckpointRoot, Bind, AgentPort, AgentUrl, PeerUrl, TlsCertificate, TlsKey, TlsAuthority, HealthPort, LeaderElect, LeaseNamespace, Identity, WatchNamespace, TrainerImage, Simulate, withParent,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var stop = ParentWatch.Link(parse.GetValue(withParent), cancellationToken);
            using var logs = Logging.Create();
            try
            {
                await OperatorHost.RunAsync(Read(parse), logs, stop.Token);
            }
            catch (OperatorOptionException e)
            {
                throw new CliException(e.Message, ExitCodes.Usage);
            }

            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static OperatorOptions Read(ParseResult parse) => new()
    {
        WatchNamespaces = parse.GetValue(WatchNamespace) ?? [],
        TrainerImage = parse.GetValue(TrainerImage) ?? OperatorOptions.DefaultTrainerImage,
        Kubeconfig = parse.GetValue(Kubeconfig),
        StateDirectory = parse.GetRequiredValue(State),
        TelemetryDatabase = parse.GetRequiredValue(Telemetry),
        TelemetryRetention = Retention(parse.GetRequiredValue(TelemetryRetention))!.Value,
        CheckpointRoot = parse.GetValue(CheckpointRoot),
        BindAddress = parse.GetRequiredValue(Bind),
        AgentApiPort = parse.GetValue(AgentPort),
        AgentUrl = parse.GetValue(AgentUrl),
        PeerUrl = parse.GetValue(PeerUrl),
        TlsCertificateFile = parse.GetValue(TlsCertificate),
        TlsKeyFile = parse.GetValue(TlsKey),
        TlsAuthorityFile = parse.GetValue(TlsAuthority),
        HealthPort = parse.GetValue(HealthPort),
        LeaderElect = parse.GetValue(LeaderElect),
        LeaseNamespace = parse.GetValue(LeaseNamespace),
        Identity = parse.GetValue(Identity),
        SimulateExecution = parse.GetValue(Simulate),
    };

    private static Option<Uri?> Url(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result => Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps ? url : Refuse<Uri>(result, "an https URL, such as https://phi-operator.phi-system:8090: the agent API speaks nothing else"),
    };

    private static TimeSpan? Retention(string text) => text == "0" ? TimeSpan.Zero : KubernetesDuration.TryParse(text, out var duration) ? duration : null;

    private static T? Refuse<T>(ArgumentResult result, string rule)
        where T : class
    {
        result.AddError($"{result.Argument.Name} is '{result.Tokens[0].Value}'; it must be {rule}.");
        return null;
    }
}

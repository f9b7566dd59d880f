using System.CommandLine;
using System.Net;
using k8s.Exceptions;
using Phi.Api.Metadata;
using Phi.Dashboard;

namespace Phi.Cli.Commands;

/// <summary><c>phi dashboard</c>: the dashboard against any API server.</summary>
internal sealed class DashboardCommand
{
    public const string TokenVariable = "PHI_DASHBOARD_TOKEN";
    private readonly Option<string?> _kubeconfig = new("--kubeconfig") { Description = "Kubeconfig of the cluster to join. Default: the service account of the pod that it runs in." };
    private readonly Option<string> _telemetry = CommonOptions.Telemetry();

    /// <summary>A variable is seen by nobody else on the machine.</summary>
    private readonly Option<string?> _token = new("--token")
    {
        Description = $"Whoever knows it is an admin, by the link /?token=TOKEN or as bearer. Default: ${TokenVariable}.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token : null,
    };

    private readonly Option<string> _bind = new("--bind") { Description = "Address to listen on.", DefaultValueFactory = _ => "127.0.0.1" };
    private readonly Option<int> _port = new("--port") { Description = "Port. Default: a free one." };
    private readonly Option<string[]> _watchNamespaces = CommonOptions.WatchNamespaces("Namespace whose jobs and schedules are shown; may be given several times. Default: all.");
    private readonly Option<string?> _namespace = new("--namespace", "-n") { Description = "Namespace of the Secret that keeps the keys of sessions. Default: that of the pod, else kube-system." };
    private readonly Option<string> _session = new("--session") { Description = "How long a session of a provider's lasts, such as 12h.", DefaultValueFactory = _ => "168h" };
    private readonly Option<string?> _authority = new("--oidc-authority") { Description = "Issuer of an OpenID provider, for people to sign in by; https, or http on this machine." };
    private readonly Option<string?> _clientId = new("--oidc-client-id") { Description = "The dashboard's client id there. Its redirect URI is ADDRESS/signin-oidc." };
    private readonly Option<string?> _secretFile = new("--oidc-client-secret-file") { Description = "File with the client's secret. Default: a public client." };
    private readonly Option<string[]> _scopes = Several("--oidc-scope", "A scope to ask for, beside openid and profile.");
    private readonly Option<string> _roleClaim = new("--oidc-role-claim") { Description = "Claim with a person's groups or roles.", DefaultValueFactory = _ => "groups" };
    private readonly Option<string> _nameClaim = new("--oidc-name-claim") { Description = "Claim by which the audit log names a person.", DefaultValueFactory = _ => "preferred_username" };
    private readonly Option<string[]> _viewers = Several("--viewers", "A value of the role claim that lets see everything; '*': whoever signs in.");
    private readonly Option<string[]> _operators = Several("--operators", "A value that lets submit, suspend and resume jobs, and pin checkpoints; '*' as above.");
    private readonly Option<string[]> _admins = Several("--admins", "A value that lets delete jobs and read the audit log; '*' as above.");
    private readonly Option<string?> _addressFile = new("--address-file") { Description = "File that receives the chosen URL.", Hidden = true };
    private readonly Option<bool> _withParent = CommonOptions.StopWithParent();

    public static Command Create()
    {
        var options = new DashboardCommand();
        var command = new Command("dashboard", "Run the dashboard against a cluster.")
        {
            options._kubeconfig, options._telemetry, options._token, options._bind, options._port, options._namespace, options._watchNamespaces, options._session,
            options._authority, options._clientId, options._secretFile, options._scopes, options._roleClaim, options._nameClaim,
            options._viewers, options._operators, options._admins, options._addressFile, options._withParent,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var settings = options.Read(parse);
            using var stop = ParentWatch.Link(parse.GetValue(options._withParent), cancellationToken);
            try
            {
                await DashboardHost.RunAsync(settings, stop.Token);
            }
            catch (KubeConfigException e)
            {
                throw new CliException($"--kubeconfig {(settings.Kubeconfig is null ? "is not given, and this is no pod with a service account" : $"is '{settings.Kubeconfig}', which cannot be used")}: {e.Message}", ExitCodes.Usage);
            }

            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Option<string[]> Several(string name, string description) => new(name) { Description = $"{description} May be given several times." };

    private DashboardOptions Read(ParseResult parse)
    {
        if (!IPAddress.TryParse(parse.GetValue(_bind), out var bind))
        {
            throw Wrong(_bind, parse, "is no address; write 127.0.0.1, or 0.0.0.0 for all");
        }

        if (!KubernetesDuration.TryParse(parse.GetValue(_session), out var session) || session <= TimeSpan.Zero)
        {
            throw Wrong(_session, parse, "is no duration; write it like 12h or 168h");
        }

        var oidc = Oidc(parse);
        return parse.GetValue(_token) is null && oidc is null
            ? throw new CliException($"nobody could sign in: give a token in ${TokenVariable}, or --oidc-authority and --oidc-client-id", ExitCodes.Usage)
            : new DashboardOptions
            {
                Kubeconfig = parse.GetValue(_kubeconfig),
                TelemetryDatabase = parse.GetRequiredValue(_telemetry),
                Token = parse.GetValue(_token),
                Oidc = oidc,
                Session = session,
                BindAddress = bind,
                Port = parse.GetValue(_port),
                WatchNamespaces = parse.GetValue(_watchNamespaces) ?? [],
                Namespace = parse.GetValue(_namespace),
                AddressFile = parse.GetValue(_addressFile),
            };
    }

    private OidcOptions? Oidc(ParseResult parse)
    {
        if (parse.GetValue(_authority) is not { } given)
        {
            return null;
        }

        if (!Uri.TryCreate(given, UriKind.Absolute, out var authority) || !(authority.Scheme == Uri.UriSchemeHttps || (authority.Scheme == Uri.UriSchemeHttp && authority.IsLoopback)))
        {
            throw Wrong(_authority, parse, "is no https address; http is for a provider on this machine alone");
        }

        var oidc = new OidcOptions
        {
            Authority = authority,
            ClientId = parse.GetValue(_clientId) ?? throw new CliException("--oidc-client-id is missing; it is the dashboard's client id at --oidc-authority", ExitCodes.Usage),
            ClientSecret = parse.GetValue(_secretFile) is { } file ? Secret(file) : null,
            Scopes = parse.GetValue(_scopes) ?? [],
            RoleClaim = parse.GetRequiredValue(_roleClaim),
            NameClaim = parse.GetRequiredValue(_nameClaim),
            Viewers = parse.GetValue(_viewers) ?? [],
            Operators = parse.GetValue(_operators) ?? [],
            Admins = parse.GetValue(_admins) ?? [],
        };
        return oidc.Viewers.Count + oidc.Operators.Count + oidc.Admins.Count > 0
            ? oidc
            : throw new CliException($"nobody of {authority.Host} would have a role: give --viewers, --operators or --admins", ExitCodes.Usage);
    }

    private static string Secret(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"--oidc-client-secret-file cannot be read: {e.Message}", ExitCodes.Usage);
        }
    }

    private static CliException Wrong<T>(Option<T> option, ParseResult parse, string rule) => new($"{option.Name} is '{parse.GetValue(option)}'; it {rule}", ExitCodes.Usage);
}

using Phi.Kubernetes;

namespace Phi.Cli.Cluster;

/// <summary>Which cluster a command talks to, before anything of it is read.</summary>
/// <param name="Files">Kubeconfigs, taken together as kubectl takes those of $KUBECONFIG; none: the service account of the pod that this runs in.</param>
/// <param name="Source">Who chose them, for messages.</param>
/// <param name="Home">The local control plane, if it is that; null: some other cluster.</param>
internal sealed record ClusterTarget(IReadOnlyList<string> Files, string Source, PhiHome? Home)
{
    public const string PluginVariable = "PHI_KUBECTL_PLUGIN";
    private const string KubeconfigVariable = "KUBECONFIG";

    /// <summary>A shorter way to the local control plane; null: there is none.</summary>
    public UnixSocket? Socket { get; init; }

    /// <exception cref="CliException">There is none.</exception>
    public static ClusterTarget Resolve(string? kubeconfig, string? home, Surroundings around) => Find(kubeconfig, home, around)
        ?? throw None($"no cluster is known: $KUBECONFIG is not set, no control plane runs on {around.PhiHome().Root}, and there is no {around.UserKubeconfig}; start one with phi up, or name one with --kubeconfig");

    /// <summary>
    /// What the command line says, then $KUBECONFIG, then the local control plane if it runs, then what kubectl would take. As kubectl's plugin, kubectl's
    /// own order comes first: both must mean the same cluster. Null: there is none.
    /// </summary>
    /// <exception cref="CliException">One is named that is not there.</exception>
    public static ClusterTarget? Find(string? kubeconfig, string? home, Surroundings around)
    {
        if (kubeconfig is not null)
        {
            return OfFile([kubeconfig], kubeconfig, kubeconfig, around);
        }

        if (home is not null)
        {
            var named = PhiHome.Resolve(home);
            return Local(named, around) ?? (around.HasFile(named.Kubeconfig) ? new ClusterTarget([named.Kubeconfig], named.Kubeconfig, named) : throw None($"no control plane runs on {named.Root}; start it with phi up --home {home}"));
        }

        return FromVariable(around)
            ?? (around.IsPlugin ? null : Local(around.PhiHome(), around))
            ?? FromUser(around)
            ?? (around.IsInPod ? new ClusterTarget([], "the pod's service account", null) : null)
            ?? Local(around.PhiHome(), around);
    }

    /// <summary>Of a list, files that are not there are left out, as kubectl does.</summary>
    private static ClusterTarget? FromVariable(Surroundings around)
    {
        if (around.Variable(KubeconfigVariable) is not { Length: > 0 } list)
        {
            return null;
        }

        List<string> named = [.. list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)];
        List<string> there = [.. named.Where(around.HasFile)];
        var source = $"$KUBECONFIG ({string.Join(Path.PathSeparator, there)})";
        return there switch
        {
            [] => throw None($"$KUBECONFIG names {list}, which is not there; correct or unset it"),
            [var only] => OfFile(there, source, only, around),
            _ => new ClusterTarget(there, source, null),
        };
    }

    private static ClusterTarget? Local(PhiHome home, Surroundings around) => around.Server(home) is { } server ? Running([home.Kubeconfig], home.Kubeconfig, home, server, around) : null;

    /// <summary>The file may be the kubeconfig of a local control plane that runs; else it is some other cluster's.</summary>
    private static ClusterTarget OfFile(IReadOnlyList<string> files, string source, string file, Surroundings around)
    {
        var home = PhiHome.Resolve(Path.GetDirectoryName(Path.GetFullPath(file)));
        return home.Kubeconfig == Path.GetFullPath(file) && around.Server(home) is { } server ? Running(files, source, home, server, around) : new ClusterTarget(files, source, null);
    }

    private static ClusterTarget Running(IReadOnlyList<string> files, string source, PhiHome home, Uri server, Surroundings around) =>
        new(files, source, home) { Socket = around.HasFile(home.ApiServerSocket) ? new UnixSocket(server, home.ApiServerSocket) : null };

    private static ClusterTarget? FromUser(Surroundings around) => around.HasFile(around.UserKubeconfig) ? new ClusterTarget([around.UserKubeconfig], around.UserKubeconfig, null) : null;

    private static CliException None(string message) => new(message, ExitCodes.ControlPlaneUnavailable);
}

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
            return new ClusterTarget([kubeconfig], kubeconfig, HomeOf(kubeconfig, around)).WithSocket(around);
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
        return there.Count > 0
            ? new ClusterTarget(there, $"$KUBECONFIG ({string.Join(Path.PathSeparator, there)})", there is [var only] ? HomeOf(only, around) : null).WithSocket(around)
            : throw None($"$KUBECONFIG names {list}, which is not there; correct or unset it");
    }

    private static ClusterTarget? Local(PhiHome home, Surroundings around) => around.IsRunning(home) ? new ClusterTarget([home.Kubeconfig], home.Kubeconfig, home).WithSocket(around) : null;

    /// <summary>The local control plane whose kubeconfig that is, if it runs; null: it is some other cluster's.</summary>
    private static PhiHome? HomeOf(string kubeconfig, Surroundings around)
    {
        var home = PhiHome.Resolve(Path.GetDirectoryName(Path.GetFullPath(kubeconfig)));
        return home.Kubeconfig == Path.GetFullPath(kubeconfig) && around.IsRunning(home) ? home : null;
    }

    private static ClusterTarget? FromUser(Surroundings around) => around.HasFile(around.UserKubeconfig) ? new ClusterTarget([around.UserKubeconfig], around.UserKubeconfig, null) : null;

    private ClusterTarget WithSocket(Surroundings around) => Home is null ? this : this with { Socket = around.SocketOf(Home) };

    private static CliException None(string message) => new(message, ExitCodes.ControlPlaneUnavailable);
}

using Phi.Cli.Cluster;
using Phi.Kubernetes;

namespace Phi.Cli.Tests;

/// <summary>Which cluster a command means.</summary>
public sealed class ClusterTargetTests
{
    private const string User = "/home/ada/.kube/config";
    private const string Local = "/srv/phi";
    private static readonly Uri Server = new("https://127.0.0.1:6443");

    [Theory]
    [InlineData("/x", "/other", "/y", true, "/x")] // --kubeconfig before all
    [InlineData(null, Local, "/y", true, "/srv/phi/kubeconfig")] // --home before the variable
    [InlineData(null, null, "/y", true, "/y")] // $KUBECONFIG before the local cluster
    [InlineData(null, null, null, true, "/srv/phi/kubeconfig")] // the local cluster, if it runs, before the user's file
    [InlineData(null, null, null, false, User)]
    public void Find_WhatIsGiven_IsTakenInOrder(string? kubeconfig, string? home, string? variable, bool runs, string expected) =>
        Assert.Equal([expected], ClusterTarget.Find(kubeconfig, home, Around(variable, runs, User, "/x", "/y"))!.Files);

    [Fact]
    public void Find_AsKubectlsPlugin_TakesKubectlsClusterBeforeTheLocalOne()
    {
        var around = Around(null, runs: true, User);

        Assert.Equal([User], ClusterTarget.Find(null, null, With(around, ClusterTarget.PluginVariable, "1"))!.Files);
        Assert.Equal(["/srv/phi/kubeconfig"], ClusterTarget.Find(null, null, With(around with { HasFile = _ => false }, ClusterTarget.PluginVariable, "1"))!.Files);
    }

    [Fact]
    public void Find_AListOfFiles_LeavesOutThoseThatAreNotThere() => Assert.Equal(["/a", "/c"], ClusterTarget.Find(null, null, Around("/a:/b::/c", false, "/a", "/c"))!.Files);

    [Fact]
    public void Find_TheLocalClustersKubeconfigByName_KnowsItsHome()
    {
        Assert.Equal(Local, ClusterTarget.Find("/srv/phi/kubeconfig", null, Around(null, true))!.Home!.Root);
        Assert.Equal(Local, ClusterTarget.Find(null, null, Around("/srv/phi/kubeconfig", true, "/srv/phi/kubeconfig"))!.Home!.Root);
        Assert.Null(ClusterTarget.Find("/srv/phi/kubeconfig", null, Around(null, false))!.Home);
        Assert.Null(ClusterTarget.Find("/elsewhere/config", null, Around(null, true))!.Home);
    }

    [Fact]
    public void Find_TheLocalCluster_HasItsSocketIfThereIsOne()
    {
        const string Socket = "/srv/phi/api.sock";

        Assert.Equal(new UnixSocket(Server, Socket), ClusterTarget.Find(null, null, Around(null, true, Socket))!.Socket);
        Assert.Equal(new UnixSocket(Server, Socket), ClusterTarget.Find("/srv/phi/kubeconfig", null, Around(null, true, Socket))!.Socket);
        Assert.Null(ClusterTarget.Find(null, null, Around(null, true))!.Socket);
        Assert.Null(ClusterTarget.Find("/srv/phi/kubeconfig", null, Around(null, false, Socket))!.Socket);
    }

    [Fact]
    public void Find_InAPod_IsItsAccount()
    {
        var pod = With(Around(null, false, "/var/run/secrets/kubernetes.io/serviceaccount/token"), "KUBERNETES_SERVICE_HOST", "10.0.0.1");

        Assert.Empty(ClusterTarget.Find(null, null, pod)!.Files);
    }

    [Fact]
    public void Resolve_NothingAtAll_SaysWhereWasLookedAndWhatToDo()
    {
        var error = Assert.Throws<CliException>(() => ClusterTarget.Resolve(null, null, Around(null, false)));

        Assert.Equal(ExitCodes.ControlPlaneUnavailable, error.ExitCode);
        Assert.Equal($"no cluster is known: $KUBECONFIG is not set, no control plane runs on {Local}, and there is no {User}; start one with phi up, or name one with --kubeconfig", error.Message);
    }

    [Fact]
    public void Find_WhatIsNamedAndNotThere_IsAnError()
    {
        Assert.Contains("start it with phi up --home /srv/phi", Assert.Throws<CliException>(() => ClusterTarget.Find(null, Local, Around(null, false))).Message, StringComparison.Ordinal);
        Assert.Contains("$KUBECONFIG names /gone", Assert.Throws<CliException>(() => ClusterTarget.Find(null, null, Around("/gone", false))).Message, StringComparison.Ordinal);
    }

    private static Surroundings Around(string? kubeconfig, bool runs, params string[] files) => new()
    {
        Variable = name => name switch { "KUBECONFIG" => kubeconfig, "PHI_HOME" => Local, "HOME" => "/home/ada", _ => null },
        HasFile = file => files.Contains(file),
        Server = home => runs && home.Root == Local ? Server : null,
    };

    private static Surroundings With(Surroundings around, string name, string value) => around with { Variable = asked => asked == name ? value : around.Variable(asked) };
}

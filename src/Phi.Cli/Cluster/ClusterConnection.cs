using k8s.Exceptions;
using Phi.Kubernetes;

namespace Phi.Cli.Cluster;

/// <summary>Asks an API server for a command, and says what to do if it cannot be asked.</summary>
internal static class ClusterConnection
{
    /// <param name="kubeconfig">Null: that of the local control plane.</param>
    /// <param name="home">The local control plane's folder; null: the usual one.</param>
    /// <exception cref="CliException">The kubeconfig cannot be used, or the API server does not answer or refuses.</exception>
    public static async Task<T> UseAsync<T>(string? kubeconfig, string? home, Func<KubernetesConnection, Task<T>> use)
    {
        var file = kubeconfig ?? PhiHome.Resolve(home).Kubeconfig;
        using var connection = Open(file);
        try
        {
            return await use(connection);
        }
        catch (Exception e) when (e is HttpRequestException or KubernetesApiException)
        {
            throw new CliException($"the API server of {file} cannot be asked: {e.Message}", ExitCodes.ControlPlaneUnavailable);
        }
    }

    private static KubernetesConnection Open(string file)
    {
        try
        {
            return KubernetesConnection.Open(file, "phi-cli");
        }
        catch (Exception e) when (e is KubeConfigException or IOException)
        {
            throw new CliException($"the kubeconfig {file} cannot be used: {e.Message}; start a control plane with `phi up`, or name another with --kubeconfig", ExitCodes.ControlPlaneUnavailable);
        }
    }
}

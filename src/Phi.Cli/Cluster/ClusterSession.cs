using k8s.Exceptions;
using Phi.Cli.Jobs;
using Phi.Kubernetes;

namespace Phi.Cli.Cluster;

/// <summary>A command's connection to a cluster, and the namespace that it works in.</summary>
/// <param name="Namespace">That of the command line, else of the context.</param>
internal sealed record ClusterSession(KubernetesConnection Connection, string Namespace, ClusterTarget Target) : IDisposable
{
    private const string UserAgent = "phi-cli";

    /// <summary>Talking to it takes nothing of the machine's own certificate authorities.</summary>
    public bool IsSelfContained { get; private init; }

    /// <param name="context">Null: the kubeconfig's current one.</param>
    /// <param name="namespace">Null: the context's.</param>
    /// <param name="handlers">See every request.</param>
    /// <exception cref="CliException">The kubeconfig cannot be used.</exception>
    public static ClusterSession Open(ClusterTarget target, string? context, string? @namespace, params DelegatingHandler[] handlers)
    {
        try
        {
            if (target.Files.Count == 0)
            {
                return new ClusterSession(KubernetesConnection.Open((string?)null, UserAgent, handlers), @namespace ?? Surroundings.PodNamespace() ?? JobName.DefaultNamespace, target);
            }

            var chosen = KubeconfigContext.Read(target.Files, context, target.Socket);
            return new ClusterSession(KubernetesConnection.Open(chosen, UserAgent, handlers), @namespace ?? chosen.Namespace ?? JobName.DefaultNamespace, target) { IsSelfContained = chosen.IsSelfContained };
        }
        catch (Exception e) when (e is KubeConfigException or IOException or FormatException)
        {
            throw new CliException($"the kubeconfig {target.Source} cannot be used: {e.Message}; start a control plane with `phi up`, or name another with --kubeconfig", ExitCodes.ControlPlaneUnavailable);
        }
    }

    /// <summary>Runs a command's work; what the API server says or does not say becomes an exit code and a remedy.</summary>
    public async Task<T> UseAsync<T>(Func<ClusterSession, Task<T>> work)
    {
        try
        {
            return await work(this);
        }
        catch (KubernetesApiException e) when (e.Code is System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Forbidden)
        {
            throw new CliException($"the API server of {Target.Source} refuses: {e.Message}; use a context whose user may do this (--context), or ask for the role", ExitCodes.ControlPlaneUnavailable);
        }
        catch (Exception e) when (e is HttpRequestException or KubernetesApiException or IOException)
        {
            throw new CliException($"the API server of {Target.Source} cannot be asked: {e.Message}; phi doctor says more", ExitCodes.ControlPlaneUnavailable);
        }
    }

    public void Dispose() => Connection.Dispose();
}

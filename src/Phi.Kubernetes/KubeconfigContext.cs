using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;

namespace Phi.Kubernetes;

/// <summary>One context of a kubeconfig, or of several that are taken together.</summary>
public sealed class KubeconfigContext
{
    private KubeconfigContext(KubernetesClientConfiguration configuration, string name, IReadOnlyList<string> names, UnixSocket? socket) => (Configuration, Name, Names, Socket) = (configuration, name, names, socket);

    public string Name { get; }

    /// <summary>Every context that could be chosen.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Where its commands are at home; null: it does not say.</summary>
    public string? Namespace => string.IsNullOrEmpty(Configuration.Namespace) ? null : Configuration.Namespace;

    /// <summary>It brings the server's authorities and the user's credentials itself: neither another program nor the machine's trust is asked.</summary>
    public bool IsSelfContained => Configuration is { SslCaCerts.Count: > 0, SkipTlsVerify: false, TokenProvider: null } && (Configuration.AccessToken is not null || Configuration.ClientCertificateData is not null || Configuration.ClientCertificateFilePath is not null);

    internal KubernetesClientConfiguration Configuration { get; }

    /// <summary>Instead of TLS.</summary>
    internal UnixSocket? Socket { get; }

    /// <param name="paths">At least one.</param>
    /// <param name="context">Null: the current one.</param>
    /// <param name="socket">Taken if the context is of its server.</param>
    /// <exception cref="KubeConfigException">A file is no kubeconfig, or there is no such context.</exception>
    public static KubeconfigContext Read(IReadOnlyList<string> paths, string? context, UnixSocket? socket = null)
    {
        var merged = Kubeconfig.Merge(paths);
        List<string> names = [.. (merged.Contexts ?? []).Select(one => one.Name)];
        var name = context ?? merged.CurrentContext;
        if (context is not null && !names.Contains(context))
        {
            throw new KubeConfigException($"there is no context '{context}'; there is {(names.Count == 0 ? "none" : string.Join(", ", names))}");
        }

        var taken = socket is not null && Endpoint(merged, name) is { } endpoint && Uri.TryCreate(endpoint.Server, UriKind.Absolute, out var server) && server == socket.Server ? socket : null;
        if (taken is not null)
        {
            // Certificates that are not needed are not read: that takes a short command longer than its request.
            Endpoint(merged, name)!.CertificateAuthorityData = null;
        }

        return new KubeconfigContext(KubernetesClientConfiguration.BuildConfigFromConfigObject(merged, name), name ?? "", names, taken);
    }

    private static ClusterEndpoint? Endpoint(K8SConfiguration file, string? context) =>
        file.Contexts?.FirstOrDefault(one => one.Name == context)?.ContextDetails?.Cluster is { } cluster ? file.Clusters?.FirstOrDefault(one => one.Name == cluster)?.ClusterEndpoint : null;
}

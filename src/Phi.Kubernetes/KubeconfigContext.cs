using k8s;
using k8s.Exceptions;

namespace Phi.Kubernetes;

/// <summary>One context of a kubeconfig, or of several that are taken together.</summary>
public sealed class KubeconfigContext
{
    private KubeconfigContext(KubernetesClientConfiguration configuration, string name, IReadOnlyList<string> names) => (Configuration, Name, Names) = (configuration, name, names);

    public string Name { get; }

    /// <summary>Every context that could be chosen.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Where its commands are at home; null: it does not say.</summary>
    public string? Namespace => string.IsNullOrEmpty(Configuration.Namespace) ? null : Configuration.Namespace;

    /// <summary>It brings the server's authorities and the user's credentials itself: neither another program nor the machine's trust is asked.</summary>
    public bool IsSelfContained => Configuration is { SslCaCerts.Count: > 0, SkipTlsVerify: false, TokenProvider: null } && (Configuration.AccessToken is not null || Configuration.ClientCertificateData is not null || Configuration.ClientCertificateFilePath is not null);

    internal KubernetesClientConfiguration Configuration { get; }

    /// <param name="paths">At least one.</param>
    /// <param name="context">Null: the current one.</param>
    /// <exception cref="KubeConfigException">A file is no kubeconfig, or there is no such context.</exception>
    public static KubeconfigContext Read(IReadOnlyList<string> paths, string? context)
    {
        var merged = Kubeconfig.Merge(paths);
        List<string> names = [.. (merged.Contexts ?? []).Select(one => one.Name)];
        var name = context ?? merged.CurrentContext;
        if (context is not null && !names.Contains(context))
        {
            throw new KubeConfigException($"there is no context '{context}'; there is {(names.Count == 0 ? "none" : string.Join(", ", names))}");
        }

        return new KubeconfigContext(KubernetesClientConfiguration.BuildConfigFromConfigObject(merged, name), name ?? "", names);
    }
}

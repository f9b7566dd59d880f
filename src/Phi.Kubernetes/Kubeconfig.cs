using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Phi.Kubernetes;

/// <summary>
/// Kubeconfigs as the client library understands them. The library's own reader of YAML first learns every kind of Kubernetes, hundreds of
/// types that stay in memory for good.
/// </summary>
internal static class Kubeconfig
{
    /// <exception cref="KubeConfigException">The file is no kubeconfig, or cannot be read.</exception>
    public static KubernetesClientConfiguration Read(string path) => KubernetesClientConfiguration.BuildConfigFromConfigObject(Parse(path));

    /// <summary>Several as one, as kubectl takes $KUBECONFIG: of what has the same name the first one counts, and the first current context.</summary>
    /// <exception cref="KubeConfigException">A file is no kubeconfig, or cannot be read.</exception>
    public static K8SConfiguration Merge(IReadOnlyList<string> paths)
    {
        var merged = Parse(paths[0]);
        foreach (var next in paths.Skip(1).Select(Parse))
        {
            merged.CurrentContext = string.IsNullOrEmpty(merged.CurrentContext) ? next.CurrentContext : merged.CurrentContext;
            merged.Clusters = [.. (merged.Clusters ?? []).Concat(next.Clusters ?? []).DistinctBy(one => one.Name)];
            merged.Users = [.. (merged.Users ?? []).Concat(next.Users ?? []).DistinctBy(one => one.Name)];
            merged.Contexts = [.. (merged.Contexts ?? []).Concat(next.Contexts ?? []).DistinctBy(one => one.Name)];
        }

        return merged;
    }

    private static K8SConfiguration Parse(string path)
    {
        try
        {
            var text = File.ReadAllText(path);
            var read = KubeconfigReader.TryRead(text) ?? new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<K8SConfiguration?>(text) ?? throw new KubeConfigException($"{path} is empty");
            read.FileName = Path.GetFullPath(path);
            MakeAbsolute(read, Path.GetDirectoryName(read.FileName)!);
            return read;
        }
        catch (YamlException e)
        {
            throw new KubeConfigException($"{path}, line {e.Start.Line}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException(e.Message, e);
        }
    }

    /// <summary>What a file names is named relative to its own folder, which is not known any more once files are merged.</summary>
    private static void MakeAbsolute(K8SConfiguration file, string folder)
    {
        foreach (var cluster in (file.Clusters ?? []).Select(one => one.ClusterEndpoint).OfType<ClusterEndpoint>())
        {
            cluster.CertificateAuthority = Absolute(cluster.CertificateAuthority);
        }

        foreach (var user in (file.Users ?? []).Select(one => one.UserCredentials).OfType<UserCredentials>())
        {
            (user.ClientCertificate, user.ClientKey) = (Absolute(user.ClientCertificate), Absolute(user.ClientKey));
        }

        string? Absolute(string? path) => string.IsNullOrEmpty(path) ? path : Path.Combine(folder, path);
    }
}

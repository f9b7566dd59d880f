using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Phi.Kubernetes;

/// <summary>
/// A kubeconfig as the client library understands it. The library's own reader of YAML first learns every kind of Kubernetes, hundreds of
/// types that stay in memory for good.
/// </summary>
internal static class Kubeconfig
{
    /// <exception cref="KubeConfigException">The file is no kubeconfig, or cannot be read.</exception>
    public static KubernetesClientConfiguration Read(string path)
    {
        try
        {
            using var text = File.OpenText(path);
            var read = new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<K8SConfiguration?>(text) ?? throw new KubeConfigException($"{path} is empty");
            // Certificates and keys may be named relative to it.
            read.FileName = Path.GetFullPath(path);
            return KubernetesClientConfiguration.BuildConfigFromConfigObject(read);
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
}

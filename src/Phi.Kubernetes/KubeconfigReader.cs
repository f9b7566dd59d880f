using k8s.KubeConfigModels;
using YamlDotNet.RepresentationModel;

namespace Phi.Kubernetes;

/// <summary>
/// Kubeconfigs of the usual kind, field by field. The general reader finds the fields of its types by reflection, which takes a short command
/// longer than its request.
/// </summary>
internal static class KubeconfigReader
{
    private static readonly string[] Rare = ["exec", "auth-provider", "tokenFile"];

    /// <summary>Null: it has what is rarer (programs that give credentials), which the general reader takes.</summary>
    /// <exception cref="YamlDotNet.Core.YamlException">The text is no YAML.</exception>
    public static K8SConfiguration? TryRead(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        if (stream.Documents is not [{ RootNode: YamlMappingNode file }])
        {
            return null;
        }

        var users = Entries(file, "users").ToList();
        return users.Exists(entry => Child(entry, "user") is YamlMappingNode user && Rare.Any(name => Child(user, name) is not null))
            ? null
            : new K8SConfiguration
            {
                ApiVersion = Text(file, "apiVersion"),
                Kind = Text(file, "kind"),
                CurrentContext = Text(file, "current-context"),
                Clusters = [.. Entries(file, "clusters").Select(entry => new Cluster { Name = Text(entry, "name"), ClusterEndpoint = Child(entry, "cluster") is YamlMappingNode cluster ? Endpoint(cluster) : null })],
                Users = [.. users.Select(entry => new User { Name = Text(entry, "name"), UserCredentials = Child(entry, "user") is YamlMappingNode user ? Credentials(user) : null })],
                Contexts = [.. Entries(file, "contexts").Select(entry => new Context { Name = Text(entry, "name"), ContextDetails = Child(entry, "context") is YamlMappingNode context ? Details(context) : null })],
            };
    }

    private static ClusterEndpoint Endpoint(YamlMappingNode cluster) => new()
    {
        Server = Text(cluster, "server"),
        CertificateAuthority = Text(cluster, "certificate-authority"),
        CertificateAuthorityData = Text(cluster, "certificate-authority-data"),
        SkipTlsVerify = Text(cluster, "insecure-skip-tls-verify") == "true",
        TlsServerName = Text(cluster, "tls-server-name"),
    };

    private static UserCredentials Credentials(YamlMappingNode user) => new()
    {
        ClientCertificate = Text(user, "client-certificate"),
        ClientCertificateData = Text(user, "client-certificate-data"),
        ClientKey = Text(user, "client-key"),
        ClientKeyData = Text(user, "client-key-data"),
        Token = Text(user, "token"),
        UserName = Text(user, "username"),
        Password = Text(user, "password"),
        Impersonate = Text(user, "as"),
    };

    private static ContextDetails Details(YamlMappingNode context) => new() { Cluster = Text(context, "cluster"), User = Text(context, "user"), Namespace = Text(context, "namespace") };

    private static IEnumerable<YamlMappingNode> Entries(YamlMappingNode file, string name) => Child(file, name) is YamlSequenceNode entries ? entries.OfType<YamlMappingNode>() : [];

    /// <summary>As it is written: a password of digits stays what it is.</summary>
    private static string? Text(YamlMappingNode from, string name) => (Child(from, name) as YamlScalarNode)?.Value;

    private static YamlNode? Child(YamlMappingNode from, string name) => from.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;
}

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Phi.Kubernetes;

namespace Phi.Operator;

/// <summary>Who this replica is and where it is found, from its options and its machine.</summary>
/// <param name="AgentUrl">For new pods.</param>
/// <param name="PeerUrl">For other replicas.</param>
internal sealed partial record OperatorIdentity(string Name, string Namespace, string AgentUrl, string PeerUrl)
{
    private const int MostCharacters = 40;

    /// <exception cref="OperatorOptionException">A setting is wrong, or is missing and nothing stands in for it.</exception>
    public static OperatorIdentity Resolve(OperatorOptions options, int port)
    {
        if (options.Identity is { } given && (given.Length > MostCharacters || !Label().IsMatch(given)))
        {
            throw new OperatorOptionException($"--identity is '{given}'; it must be at most {MostCharacters} lowercase letters, digits and '-', the first and the last no '-'");
        }

        CheckScheme("--agent-url", options.AgentUrl);
        CheckScheme("--peer-url", options.PeerUrl);
        var peer = options.PeerUrl?.ToString() ?? Url(options.BindAddress, port);
        var @namespace = options.LeaseNamespace ?? PodNamespace.Own(options.Kubeconfig);
        return new OperatorIdentity(options.Identity ?? Invent(), @namespace, Trim(options.AgentUrl?.ToString() ?? peer), Trim(peer));
    }

    /// <summary>Names and addresses that a certificate of this replica holds: the operator's, its own, and the machine's own loopback.</summary>
    public IReadOnlyList<string> Hosts() => [.. new[] { new Uri(AgentUrl).IdnHost, new Uri(PeerUrl).IdnHost, "127.0.0.1", "localhost" }.Select(host => host.Trim('[', ']')).Distinct(StringComparer.OrdinalIgnoreCase)];

    private static void CheckScheme(string option, Uri? url)
    {
        if (url is not null && url.Scheme != Uri.UriSchemeHttps)
        {
            throw new OperatorOptionException($"{option} is '{url}'; the agent API speaks HTTPS alone: write https://{url.Authority}");
        }
    }

    private static string Url(IPAddress bind, int port)
    {
        var isAny = bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any);
        var address = isAny ? OwnAddress() : bind;
        return $"https://{(address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address)}:{port}";
    }

    private static IPAddress OwnAddress()
    {
        try
        {
            return Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal) ?? throw NoAddress("it has none but loopback");
        }
        catch (SocketException e)
        {
            throw NoAddress(e.Message);
        }

        static OperatorOptionException NoAddress(string why) =>
            new($"the agent API is bound to all addresses, and this machine's own is not known ({why}); say with --peer-url how other replicas reach it");
    }

    private static string Invent()
    {
        var host = Forbidden().Replace(Environment.MachineName.ToLowerInvariant(), "-");
        const int MostOfHost = MostCharacters - 9;
        return $"{(host.Length > MostOfHost ? host[^MostOfHost..] : host).Trim('-')}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}".TrimStart('-');
    }

    private static string Trim(string url) => url.TrimEnd('/');

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Label();

    [GeneratedRegex("[^a-z0-9-]", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Forbidden();
}

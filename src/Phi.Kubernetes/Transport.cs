using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;

namespace Phi.Kubernetes;

/// <summary>
/// HTTP to one API server. The client library's own handler lets the system's certificate authorities be read, all of them, at the first
/// connection of each process, though a kubeconfig names its own; for a short command that takes longer than its work.
/// </summary>
internal static class Transport
{
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveInterval = 15;
    private const int KeepAliveTries = 4;

    /// <param name="unix">Where the server is reached instead, without TLS.</param>
    /// <param name="handlers">See every request, the last one first.</param>
    public static HttpClient Create(KubernetesClientConfiguration configuration, UnixSocket? unix, string userAgent, DelegatingHandler[] handlers)
    {
        HttpMessageHandler first = unix is null
            ? new SocketsHttpHandler { ConnectCallback = ConnectAsync, SslOptions = Trust(configuration) }
            : new SocketsHttpHandler { ConnectCallback = (_, ct) => ConnectAsync(unix, ct) };
        foreach (var handler in handlers)
        {
            handler.InnerHandler = first;
            first = handler;
        }

        // Watches stay open as long as the server lets them; every other request is bounded by whoever sends it.
        var http = new HttpClient(first) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(userAgent, null));
        if (!string.IsNullOrEmpty(configuration.TlsServerName))
        {
            // The handler takes the name that TLS asks for, and checks, from here; its options' own is not used.
            http.DefaultRequestHeaders.Host = configuration.TlsServerName;
        }

        return http;
    }

    /// <summary>A kubeconfig's certificate authorities are the only ones, as for kubectl; without any, the system's.</summary>
    private static SslClientAuthenticationOptions Trust(KubernetesClientConfiguration configuration)
    {
        var options = new SslClientAuthenticationOptions();
        if (Pem(configuration.ClientCertificateData, configuration.ClientCertificateFilePath) is { } own && Pem(configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath) is { } key)
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(own);
            options.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(own, key), [.. chain.Skip(1)], offline: true);
        }

        if (configuration.SkipTlsVerify)
        {
#pragma warning disable CA5359 // The kubeconfig says insecure-skip-tls-verify.
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (configuration.SslCaCerts is { Count: > 0 } authorities)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            options.CertificateChainPolicy.ExtraStore.AddRange(authorities);
            options.RemoteCertificateValidationCallback = (_, _, chain, errors) => IsTrusted(chain, errors, authorities);
        }

        return options;
    }

    /// <summary>PEM text, from Base64 within the kubeconfig or from a file; null: it has none.</summary>
    private static string? Pem(string? data, string? file) =>
        !string.IsNullOrEmpty(data) ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : string.IsNullOrEmpty(file) ? null : File.ReadAllText(file);

    /// <summary>A kubeconfig may name an intermediate authority, above which nothing is known: what it signed counts.</summary>
    private static bool IsTrusted(X509Chain? chain, SslPolicyErrors errors, X509Certificate2Collection authorities) => errors switch
    {
        SslPolicyErrors.None => true,
        SslPolicyErrors.RemoteCertificateChainErrors when chain is { ChainElements: [.., var top] } && chain.ChainStatus.All(one => one.Status == X509ChainStatusFlags.PartialChain) =>
            authorities.Any(one => one.RawDataMemory.Span.SequenceEqual(top.Certificate.RawDataMemory.Span)),
        _ => false,
    };

    private static ValueTask<Stream> ConnectAsync(UnixSocket unix, CancellationToken ct) =>
        ConnectAsync(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(unix.Path), ct);

    /// <summary>A watch may be silent for long: the kernel asks whether the other end is still there.</summary>
    private static ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveInterval);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveTries);
        return ConnectAsync(socket, context.DnsEndPoint, ct);
    }

    private static async ValueTask<Stream> ConnectAsync(Socket socket, EndPoint to, CancellationToken ct)
    {
        try
        {
            await socket.ConnectAsync(to, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Phi.Operator.AgentApi.Tls;

/// <summary>
/// Connections of the agent API: TLS, and on the same port plain HTTP for pods of before (<see cref="Identity.LegacyPods"/>), whose spec says
/// so; no other token is taken there. The first byte of a connection tells them apart.
/// </summary>
internal static class AgentConnections
{
    /// <summary>Of a record that begins a handshake (RFC 8446, section 5.1); no HTTP request begins so.</summary>
    private const byte Handshake = 22;

    /// <summary>For the first byte, and then for the handshake.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static void Use(ListenOptions listen, IServerCertificate certificate)
    {
        listen.Protocols = HttpProtocols.Http1;
        ConnectionDelegate? http = null;
        listen.Use(tls => connection => RouteAsync(connection, tls, http!));
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = Patience,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current() }),
        });
        listen.Use(next => http = next);
    }

    private static async Task RouteAsync(ConnectionContext connection, ConnectionDelegate tls, ConnectionDelegate http)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(Patience);
        bool isTls;
        try
        {
            var read = await connection.Transport.Input.ReadAsync(patience.Token);
            if (read.Buffer.IsEmpty)
            {
                return;
            }

            isTls = read.Buffer.FirstSpan[0] == Handshake;
            // Nothing is taken: whoever goes on reads it again.
            connection.Transport.Input.AdvanceTo(read.Buffer.Start);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await (isTls ? tls : http)(connection);
    }
}

using System.Net;
using System.Net.Sockets;

namespace Phi.Tests;

/// <summary>
/// Where a test lets processes meet. The loopback network has 2^24 addresses (RFC 1122, 3.2.1.3): a port of one picked at random stays free
/// until the test listens there, which a port of 127.0.0.1 does not, where other tests and every client's connections take theirs.
/// </summary>
internal static class FreeEndPoint
{
    public static IPEndPoint Next()
    {
        var address = new IPAddress([127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(256), (byte)Random.Shared.Next(1, 255)]);
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}

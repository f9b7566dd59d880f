using System.Net;
using System.Net.Sockets;
using System.Text;
using Phi.Api.Agent;
using Phi.Trainer.Agent;

namespace Phi.Trainer.Tests;

/// <summary>An agent and the replicas of its operator.</summary>
public sealed class OperatorClientTests
{
    private static readonly Heartbeat Beat = new() { Namespace = "default", Job = "job", JobUid = "uid", Pod = "job-0", PodUid = "pod", ReplicaIndex = 0, Attempt = 1, Ranks = [] };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BeatAsync_OperatorGone_AsksTheReplicaThatItNamedAndStaysThere()
    {
        using var second = new Replica(() => (200, """{"command":"Continue","attempt":1}"""));
        Uri first;
        using (var leader = new Replica(() => (200, $$"""{"command":"Continue","attempt":1,"operatorUrls":["{{second.Url}}"]}""")))
        {
            first = leader.Url;
            using var warm = new OperatorClient(first, "token");
            await warm.BeatAsync(Beat, Ct);
            leader.Dispose();

            await warm.BeatAsync(Beat, Ct);
            await warm.BeatAsync(Beat, Ct);
        }

        Assert.Equal(2, second.Requests);
        using var cold = new OperatorClient(first, "token");
        await Assert.ThrowsAsync<HttpRequestException>(() => cold.BeatAsync(Beat, Ct));
    }

    [Fact]
    public async Task BeatAsync_ReplicaWithoutALeader_AsksTheNext()
    {
        using var second = new Replica(() => (200, """{"command":"Continue","attempt":2}"""));
        var answers = new Queue<(int, string)>([(200, $$"""{"command":"Continue","attempt":1,"operatorUrls":["{{second.Url}}"]}"""), (503, "no leader")]);
        using var first = new Replica(answers.Dequeue);
        using var client = new OperatorClient(first.Url, "token");
        await client.BeatAsync(Beat, Ct);

        Assert.Equal(2, (await client.BeatAsync(Beat, Ct)).Attempt);
    }

    [Fact]
    public async Task BeatAsync_JobGone_IsRefusedWithoutAskingOthers()
    {
        using var second = new Replica(() => (200, """{"command":"Continue","attempt":2}"""));
        var answers = new Queue<(int, string)>([(200, $$"""{"command":"Continue","attempt":1,"operatorUrls":["{{second.Url}}"]}"""), (404, "there is no job")]);
        using var first = new Replica(answers.Dequeue);
        using var client = new OperatorClient(first.Url, "token");
        await client.BeatAsync(Beat, Ct);

        await Assert.ThrowsAsync<RefusedException>(() => client.BeatAsync(Beat, Ct));
        Assert.Equal(0, second.Requests);
    }

    /// <summary>As much of an HTTP server as the client needs: one answer a connection.</summary>
    private sealed class Replica : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _requests;

        public Replica(Func<(int Code, string Body)> answer)
        {
            _listener.Start();
            _ = Task.Run(() => ServeAsync(answer));
        }

        public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

        public int Requests => Volatile.Read(ref _requests);

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync(Func<(int Code, string Body)> answer)
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(Ct);
                await using var stream = client.GetStream();
                await ReadRequestAsync(stream);
                Interlocked.Increment(ref _requests);
                var (code, body) = answer();
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), Ct);
            }
        }

        /// <summary>The head, then the body, which the client sends in chunks; the last one is empty.</summary>
        private static async Task ReadRequestAsync(NetworkStream stream)
        {
            var text = new StringBuilder();
            var buffer = new byte[4096];
            while (!text.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer, Ct) is var read and > 0)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
    }
}

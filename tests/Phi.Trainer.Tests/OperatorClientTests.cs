using System.Collections.Concurrent;
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
            using var warm = new OperatorClient(first, () => "token", "");
            await warm.BeatAsync(Beat, Ct);
            leader.Dispose();

            await warm.BeatAsync(Beat, Ct);
            await warm.BeatAsync(Beat, Ct);
        }

        Assert.Equal(2, second.Requests);
        using var cold = new OperatorClient(first, () => "token", "");
        await Assert.ThrowsAsync<HttpRequestException>(() => cold.BeatAsync(Beat, Ct));
    }

    [Fact]
    public async Task BeatAsync_ReplicaWithoutALeader_AsksTheNext()
    {
        using var second = new Replica(() => (200, """{"command":"Continue","attempt":2}"""));
        var answers = new Queue<(int, string)>([(200, $$"""{"command":"Continue","attempt":1,"operatorUrls":["{{second.Url}}"]}"""), (503, "no leader")]);
        using var first = new Replica(answers.Dequeue);
        using var client = new OperatorClient(first.Url, () => "token", "");
        await client.BeatAsync(Beat, Ct);

        Assert.Equal(2, (await client.BeatAsync(Beat, Ct)).Attempt);
    }

    [Fact]
    public async Task BeatAsync_JobGone_IsRefusedWithoutAskingOthers()
    {
        using var second = new Replica(() => (200, """{"command":"Continue","attempt":2}"""));
        var answers = new Queue<(int, string)>([(200, $$"""{"command":"Continue","attempt":1,"operatorUrls":["{{second.Url}}"]}"""), (404, "there is no job")]);
        using var first = new Replica(answers.Dequeue);
        using var client = new OperatorClient(first.Url, () => "token", "");
        await client.BeatAsync(Beat, Ct);

        await Assert.ThrowsAsync<RefusedException>(() => client.BeatAsync(Beat, Ct));
        Assert.Equal(0, second.Requests);
    }

    [Fact]
    public async Task BeatAsync_TokenRenewedInItsFile_ShowsTheNewOne()
    {
        using var replica = new Replica(() => (200, """{"command":"Continue","attempt":1}"""));
        var file = Path.GetTempFileName();
        try
        {
            using var client = new OperatorClient(replica.Url, new TokenFile(file).Read, "");
            await File.WriteAllTextAsync(file, "first\n", Ct);
            await client.BeatAsync(Beat, Ct);
            await File.WriteAllTextAsync(file, "second\n", Ct);
            await client.BeatAsync(Beat, Ct);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(["Bearer first", "Bearer second"], replica.Authorizations);
        using var without = new OperatorClient(replica.Url, new TokenFile(file).Read, "");
        Assert.Contains(file, (await Assert.ThrowsAsync<HttpRequestException>(() => without.BeatAsync(Beat, Ct))).Message, StringComparison.Ordinal);
        Assert.Equal(2, replica.Requests);
    }

    /// <summary>The node may be late with the next token: the ranks go on, and the agent asks again.</summary>
    [Theory]
    [InlineData(401, false)]
    [InlineData(503, false)]
    [InlineData(403, true)]
    [InlineData(404, true)]
    public async Task BeatAsync_Refused_IsForGoodWhereNoTokenMendsIt(int code, bool isForGood)
    {
        using var replica = new Replica(() => (code, "no"));
        using var client = new OperatorClient(replica.Url, () => "token", "");

        var error = await Record.ExceptionAsync(() => client.BeatAsync(Beat, Ct));

        Assert.Equal(isForGood ? typeof(RefusedException) : typeof(HttpRequestException), error?.GetType());
    }

    /// <summary>As much of an HTTP server as the client needs: one answer a connection.</summary>
    private sealed class Replica : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ConcurrentQueue<string> _authorizations = [];
        private int _requests;

        public Replica(Func<(int Code, string Body)> answer)
        {
            _listener.Start();
            _ = Task.Run(() => ServeAsync(answer));
        }

        public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

        public int Requests => Volatile.Read(ref _requests);

        public IReadOnlyList<string> Authorizations => [.. _authorizations];

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync(Func<(int Code, string Body)> answer)
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(Ct);
                await using var stream = client.GetStream();
                var head = await ReadRequestAsync(stream);
                _authorizations.Enqueue(head.Split("\r\n").First(line => line.StartsWith("Authorization: ", StringComparison.Ordinal))["Authorization: ".Length..]);
                Interlocked.Increment(ref _requests);
                var (code, body) = answer();
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), Ct);
            }
        }

        /// <summary>The head, then the body, which the client sends in chunks; the last one is empty.</summary>
        private static async Task<string> ReadRequestAsync(NetworkStream stream)
        {
            var text = new StringBuilder();
            var buffer = new byte[4096];
            while (!text.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer, Ct) is var read and > 0)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }

            return text.ToString();
        }
    }
}

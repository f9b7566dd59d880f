using System.Net;
using System.Net.Http.Headers;
using Phi.Checkpoints;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Tests.Replicas;

public sealed class ReplicaServerTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi memory ").FullName;
    private ReplicaServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ReplicaServer.StartAsync(_root, IPAddress.Loopback);
        _server.Serve(2, "secret");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void File_PutByAPeer_IsReadByRanges()
    {
        using var peer = new ReplicaPeer(_server.Address, "secret");
        var source = Path.Combine(_root, "source");
        File.WriteAllBytes(source, [.. Enumerable.Range(0, 200).Select(i => (byte)i)]);

        peer.Put("step-00000003/shard", 2, source, CancellationToken.None);
        var range = new byte[7];
        peer.Read("step-00000003/shard", 11, range);

        Assert.Equal([11, 12, 13, 14, 15, 16, 17], range);
        Assert.Equal(File.ReadAllBytes(source), peer.ReadAll("step-00000003/shard"));
    }

    /// <summary>The next attempt has another key: what a rank of before still knows opens nothing.</summary>
    [Fact]
    public void Serve_TheNextAttempt_RefusesTheKeyOfTheOneBefore()
    {
        using var before = new ReplicaPeer(_server.Address, "secret");
        using var now = new ReplicaPeer(_server.Address, "other");
        Assert.Empty(before.Parts());

        _server.Serve(3, "other");

        Assert.Contains("401", Assert.Throws<CheckpointException>(() => before.Parts()).Message, StringComparison.Ordinal);
        Assert.Empty(now.Parts());
    }

    [Fact]
    public void Serve_WithoutAKey_RefusesEverybody()
    {
        _server.Serve(3, key: null);

        foreach (var key in new[] { "secret", "" })
        {
            using var peer = new ReplicaPeer(_server.Address, key);
            Assert.Contains("401", Assert.Throws<CheckpointException>(() => peer.Parts()).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Copy_OfAnOlderAttempt_IsNotTaken()
    {
        using var peer = new ReplicaPeer(_server.Address, "secret");
        var source = Path.Combine(_root, "source");
        File.WriteAllBytes(source, [1]);

        var error = Assert.Throws<StorageException>(() => peer.Put("step-00000003/shard", 1, source, CancellationToken.None));

        Assert.Contains("(409): attempt 2 runs here, and copies of attempt 1 are not taken", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_root, "step-00000003")));
    }

    [Fact]
    public void File_ThatIsNotThereOrTooShort_IsAnError()
    {
        using var peer = new ReplicaPeer(_server.Address, "secret");
        Directory.CreateDirectory(Path.Combine(_root, "step-00000003"));
        File.WriteAllBytes(Path.Combine(_root, "step-00000003", "shard"), [1, 2, 3]);

        Assert.Throws<CheckpointException>(() => peer.Read("step-00000003/other", 0, new byte[1]));
        Assert.Throws<CheckpointException>(() => peer.Read("step-00000003/shard", 2, new byte[5]));
        Assert.Throws<CheckpointException>(() => peer.Read("step-00000003/shard", 9, new byte[5]));
    }

    [Theory]
    [InlineData("", "v1/replicas")]
    [InlineData("Bearer wrong", "v1/replicas")]
    [InlineData("Bearer wrong", "v1/replicas/step-00000003/shard")]
    public async Task Request_WithoutTheAttemptsKey_IsRefused(string authorization, string route)
    {
        using var http = new HttpClient { BaseAddress = _server.Address };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        var response = await http.GetAsync(new Uri(route, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [InlineData("v1/replicas/..%2F/passwd")]
    [InlineData("v1/replicas/step-00000003/..%2F..%2Fsecret")]
    [InlineData("v1/replicas/%2Fetc/passwd")]
    public async Task Name_ThatLeavesTheFolder_IsNotServed(string route)
    {
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_root)!, "secret"), "secret", TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = _server.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");

        using var content = new ByteArrayContent([1]);
        var put = await http.PutAsync(new Uri(route + "?attempt=2", UriKind.Relative), content, TestContext.Current.CancellationToken);
        var get = await http.GetAsync(new Uri(route, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.False(put.IsSuccessStatusCode, put.StatusCode.ToString());
        Assert.False(get.IsSuccessStatusCode, get.StatusCode.ToString());
    }
}

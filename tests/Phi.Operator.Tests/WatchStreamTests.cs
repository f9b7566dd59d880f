using System.Net;
using System.Text;
using k8s.Models;
using Phi.Kubernetes;

namespace Phi.Operator.Tests;

/// <summary>The lines of a watch, as the network cuts them.</summary>
public sealed class WatchStreamTests
{
    private const string Added = """{"type":"ADDED","object":{"kind":"ConfigMap","metadata":{"labels":{"name":"other"},"name":"map","namespace":"team","resourceVersion":"7"},"data":{"key":"a\nµ"}}}""";
    private const string Deleted = """{"object":{"metadata":{"resourceVersion":"8","namespace":"team","name":"map"},"kind":"ConfigMap"},"more":[{"type":"no"}],"type":"DELETED"}""";
    private const string Bookmark = """{"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"9","creationTimestamp":null}}}""";

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(4096)]
    public async Task ReadAsync_HoweverTheBytesCome_GivesEveryChange(int piece)
    {
        var changes = await ReadAsync($"{Added}\n{Deleted}\n{Bookmark}", piece);

        Assert.Equal(["ADDED 7", "DELETED 8", "BOOKMARK 9"], changes.Select(change => $"{change.Type} {change.Version}"));
        Assert.Equal([new("team", "map"), new("team", "map"), new("", "")], changes.Select(change => change.Head.Key));
        Assert.Equal("a\nµ", changes[0].Parse<V1ConfigMap>().Data["key"]);
        Assert.Equal("ConfigMap", (string?)changes[1].ToJson()["kind"]);
    }

    [Theory]
    [InlineData("""{"type":"ADDED","object":{"metadata":{"resourceVer""", "broke off within a line of")]
    [InlineData("<html>", "broke off within a line of")]
    [InlineData("""{"type":"ADDED","object":{"metadata":{"name":"map"}}}""", "broke off within a line of")]
    [InlineData("""{"kind":"Status"}""", "sent a line that is no change: {\"kind\":\"Status\"}")]
    [InlineData("""{"type":"ADDED","object":[]}""", "sent a line that is no change")]
    [InlineData("[]", "sent a line that is no change")]
    public async Task ReadAsync_ALineThatIsNoChange_IsAnErrorAfterWhatCameBefore(string line, string says)
    {
        var error = await Assert.ThrowsAsync<IOException>(() => ReadAsync($"{Added}\n{line}\n", 4096));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_AnErrorOfTheServer_IsThrown()
    {
        var error = await Assert.ThrowsAsync<KubernetesApiException>(() => ReadAsync("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}""", 4096));

        Assert.Equal((HttpStatusCode.Gone, "Expired", "too old", true), (error.Code, error.Reason, error.Message, error.IsGone));
    }

    private static async Task<List<WatchEvent>> ReadAsync(string text, int piece)
    {
        await using var stream = new Pieces(Encoding.UTF8.GetBytes(text), piece);
        return await WatchStream.ReadAsync(stream, "ConfigMap", TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
    }

    private sealed class Pieces(byte[] content, int most) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(most, buffer.Length)], cancellationToken);
    }
}

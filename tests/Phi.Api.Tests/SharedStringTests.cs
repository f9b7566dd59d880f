using System.Text;
using System.Text.Json;
using CsCheck;
using Phi.Api.Metadata;
using Xunit;

namespace Phi.Api.Tests;

public sealed class SharedStringTests
{
    [Fact]
    public void Deserialize_ATextThatCameBefore_IsTheSameObject()
    {
        var first = Read("""{"type":"Admitted","reason":"QuotaReserved"}""");
        var second = Read("""{"type":"Admitted","reason":"Waiting"}""");

        Assert.Same(first["type"], second["type"]);
        Assert.Same(first.Keys.First(), second.Keys.First());
        Assert.Equal(("QuotaReserved", "Waiting"), (first["reason"], second["reason"]));
    }

    [Fact]
    public void Deserialize_AnyText_IsThatText() =>
        Gen.String.List[0, 20].Sample(texts => JsonSerializer.Deserialize<List<string>>(JsonSerializer.SerializeToUtf8Bytes(texts, PhiJson.Options), PhiJson.Options)!
            .SequenceEqual(texts.Select(text => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)))));

    [Fact]
    public void Deserialize_ANumberWhereATextBelongs_IsAnErrorThatNamesTheField() =>
        Assert.Contains("$.name", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<ObjectMeta>("""{"name":7}""", PhiJson.Options)).Message, StringComparison.Ordinal);

    private static Dictionary<string, string> Read(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json, PhiJson.Options)!;
}

using Phi.Api.Manifests;

namespace Phi.Api.Tests;

public sealed class ManifestReaderTests
{
    [Theory]
    [InlineData("a: 1", """{"a":1}""")]
    [InlineData("a: 1.0e-3", """{"a":0.001}""")]
    [InlineData("a: \"1\"", """{"a":"1"}""")]
    [InlineData("a: yes", """{"a":"yes"}""")]
    [InlineData("a: true", """{"a":true}""")]
    [InlineData("a: 24h", """{"a":"24h"}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a: {b: [1, x]}", """{"a":{"b":[1,"x"]}}""")]
    [InlineData("""{"a": "b"}""", """{"a":"b"}""")]
    public void Read_Scalars_FollowTheCoreSchema(string yaml, string json) =>
        Assert.Equal(json, Assert.Single(ManifestReader.Read(yaml)).ToJsonString());

    [Fact]
    public void Read_SeveralDocuments_SkipsTheEmptyOnes() => Assert.Equal(2, ManifestReader.Read("---\na: 1\n---\n---\nb: 2\n").Count);

    [Theory]
    [InlineData("a: [1", "line")]
    [InlineData("- 1", "line 1, column 1: a manifest is an object")]
    [InlineData("a: 1\na: 2", "line 2")]
    public void Read_NoManifest_SaysWhere(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => ManifestReader.Read(yaml)).Message, StringComparison.Ordinal);
}

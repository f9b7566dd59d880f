using System.Text.Json.Nodes;
using Phi.Cli.Submission;

namespace Phi.Cli.Tests;

/// <summary>In which fields two versions of an object differ.</summary>
public sealed class ObjectDifferenceTests
{
    [Theory]
    [InlineData("""{"spec": {"a": 1}}""", """{"spec": {"a": 1.0}}""", "")]
    [InlineData("""{"spec": {"a": 1}}""", """{"spec": {"a": 2}}""", "spec.a: 1 2")]
    [InlineData("""{"spec": {}}""", """{"spec": {"b": {"c": "x", "d": []}}}""", "spec.b.c:  \"x\"; spec.b.d:  []")]
    [InlineData("""{"spec": {"b": {"c": 1}}}""", """{"spec": {}}""", "spec.b.c: 1 ")]
    [InlineData("""{"spec": {}}""", """{"spec": {"bytes": {}}}""", "spec.bytes:  {}")]
    [InlineData("""{"spec": {"list": [1, {"a": 2}]}}""", """{"spec": {"list": [1, {"a": 3}]}}""", "spec.list[1].a: 2 3")]
    [InlineData("""{"spec": {"list": [1]}}""", """{"spec": {"list": [1, 2]}}""", "spec.list: [1] [1,2]")]
    [InlineData("""{"metadata": {"labels": {"a.b/c": "x"}}}""", """{"metadata": {"labels": {"a.b/c": "y"}}}""", "metadata.labels['a.b/c']: \"x\" \"y\"")]
    [InlineData("""{"metadata": {"resourceVersion": "1", "managedFields": [], "generation": 1}, "status": {"a": 1}}""", """{"metadata": {"resourceVersion": "2", "generation": 2}, "status": {}}""", "")]
    [InlineData("""{"spec": {"a": {"b": 1}}}""", """{"spec": {"a": "text"}}""", "spec.a: {\"b\":1} \"text\"")]
    public void Of_TwoVersions_NamesEachFieldThatDiffers(string before, string after, string expected) => Assert.Equal(expected, Text(JsonNode.Parse(before)!.AsObject(), after));

    [Fact]
    public void Of_NothingBefore_IsEveryField() => Assert.Equal("kind:  \"K\"; spec.a:  1", Text(null, """{"kind": "K", "spec": {"a": 1}}"""));

    private static string Text(JsonObject? before, string after) =>
        string.Join("; ", ObjectDifference.Of(before, JsonNode.Parse(after)!.AsObject()).Select(change => $"{change.Path}: {change.Before?.ToJsonString()} {change.After?.ToJsonString()}"));
}

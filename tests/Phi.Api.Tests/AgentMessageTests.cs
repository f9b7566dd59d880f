using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Api.Tests;

/// <summary>
/// Agents and operators of neighbouring releases understand each other: messages as each release sent them (<c>Released/VERSION/messages</c>) are read
/// whole, and what a newer one adds is ignored.
/// </summary>
public sealed class AgentMessageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Phi.Api.Tests", "Released");
    private static readonly Type[] Messages = [typeof(Heartbeat), typeof(HeartbeatResponse), typeof(AssignmentRequest), typeof(AssignmentResponse), typeof(EventBatch)];

    /// <summary>As the operator reads them; agents read with fewer demands.</summary>
    private static readonly JsonSerializerOptions Strict = new(PhiJson.Options) { RespectNullableAnnotations = true };

    public static TheoryData<string> Released => [.. Directory.EnumerateFiles(Folder, "*.json", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Released))]
    public void Message_OfARelease_IsReadWhole(string file) => Assert.Empty(Lost(Read(file), Again(file, Read(file)), ""));

    [Theory]
    [MemberData(nameof(Released))]
    public void Message_WithFieldsOfANewerRelease_IsReadWithoutThem(string file)
    {
        var newer = Read(file);
        Add(newer);

        Assert.True(JsonNode.DeepEquals(Again(file, Read(file)), Again(file, newer)));
    }

    /// <summary>Of a field that an operator may not send yet.</summary>
    [Theory]
    [InlineData("peerKey")]
    public void Assignment_OfAnOperatorThatDoesNotSendAField_IsReadWithoutIt(string field)
    {
        const string File = "0.1.0/messages/AssignmentResponse.json";
        var older = Read(File);
        Assert.True(older["assignment"]!.AsObject().Remove(field));

        Assert.Equal([$".assignment.{field}"], Lost(Read(File), Again(File, older), ""));
    }

    [Fact]
    public void Releases_HaveEveryMessage() => Assert.All(Directory.EnumerateDirectories(Folder), release =>
        Assert.Equal(Messages.Select(type => type.Name).Order(StringComparer.Ordinal), Directory.EnumerateFiles(Path.Combine(release, "messages")).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)));

    [Fact]
    public void Lost_AFieldThatIsNotRead_IsTold() => Assert.Equal([".a[0].b"], Lost(JsonNode.Parse("""{"a": [{"b": 1, "c": 2}]}"""), JsonNode.Parse("""{"a": [{"c": 2, "d": 3}]}"""), ""));

    private static JsonNode Read(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    /// <summary>Read into today's type, and written again.</summary>
    private static JsonNode Again(string file, JsonNode message)
    {
        var type = Messages.Single(type => type.Name == Path.GetFileNameWithoutExtension(file));
        return JsonSerializer.SerializeToNode(message.Deserialize(type, Strict), type, PhiJson.Options)!;
    }

    /// <summary>Paths of values that are not in the other.</summary>
    private static IEnumerable<string> Lost(JsonNode? was, JsonNode? now, string path) => was switch
    {
        JsonObject members => members.SelectMany(pair => Lost(pair.Value, now?[pair.Key], $"{path}.{pair.Key}")),
        JsonArray items => items.SelectMany((item, at) => Lost(item, now is JsonArray others && at < others.Count ? others[at] : null, $"{path}[{at}]")),
        _ => JsonNode.DeepEquals(was, now) ? [] : [path],
    };

    private static void Add(JsonNode? message)
    {
        switch (message)
        {
            case JsonObject members:
                members.ToList().ForEach(pair => Add(pair.Key == "metrics" ? null : pair.Value));
                members["ofTomorrow"] = new JsonObject { ["any"] = 1 };
                break;
            case JsonArray items:
                items.ToList().ForEach(Add);
                break;
        }
    }
}

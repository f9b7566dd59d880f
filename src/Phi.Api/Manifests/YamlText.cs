using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace Phi.Api.Manifests;

/// <summary>JSON as YAML, in a form that any YAML 1.1 or 1.2 reader takes the same way.</summary>
public static class YamlText
{
    private static readonly ISerializer Serializer = new SerializerBuilder().WithQuotingNecessaryStrings(quoteYaml1_1Strings: true).WithIndentedSequences().Build();

    public static string Write(JsonNode value) => Serializer.Serialize(Plain(value)!).ReplaceLineEndings("\n");

    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject members => members.ToDictionary(pair => pair.Key, pair => Plain(pair.Value)),
        JsonArray items => items.Select(Plain).ToList(),
        null => null,
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => (string)node!,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => long.TryParse(node.ToJsonString(), out var whole) ? whole : (double)node!,
        },
    };
}

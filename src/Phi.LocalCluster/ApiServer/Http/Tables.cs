using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>meta.k8s.io/v1 Table, which kubectl asks for when it prints.</summary>
internal static class Tables
{
    public static bool IsWanted(string? accept) => accept?.Contains("as=Table", StringComparison.Ordinal) == true;

    public static JsonObject Of(ResourceType type, IEnumerable<JsonObject> values, JsonObject listMetadata, string? includeObject, DateTimeOffset now, bool withColumns = true) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = listMetadata,
        ["columnDefinitions"] = withColumns
            ? new JsonArray([.. type.Columns.Select(column => new JsonObject
            {
                ["name"] = column.Name,
                ["type"] = column.Type is "date" ? "string" : column.Type,
                ["format"] = column.Format,
                ["description"] = column.Description,
                ["priority"] = column.Priority,
            })])
            : null,
        ["rows"] = new JsonArray([.. values.Select(value => new JsonObject
        {
            ["cells"] = new JsonArray([.. type.Columns.Select(column => column.Cell(value, now))]),
            ["object"] = includeObject switch
            {
                "None" => null,
                "Object" => value.DeepClone(),
                _ => new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = value["metadata"]!.DeepClone() },
            },
        })]),
    };
}

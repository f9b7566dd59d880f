using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Events are stored once, as core/v1; events.k8s.io/v1 names the same fields otherwise.</summary>
internal static class EventConversion
{
    private static readonly (string Core, string Events)[] Names =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
    ];

    public static JsonObject ToCore(JsonObject value) => Rename(value, "v1", Names.Select(name => (name.Events, name.Core)));

    public static JsonObject FromCore(JsonObject value) => Rename(value, "events.k8s.io/v1", Names);

    private static JsonObject Rename(JsonObject value, string apiVersion, IEnumerable<(string From, string To)> names)
    {
        var result = value.DeepClone().AsObject();
        result["apiVersion"] = apiVersion;
        foreach (var (from, to) in names)
        {
            if (result.Remove(from, out var moved))
            {
                result[to] = moved;
            }
        }

        return result;
    }
}

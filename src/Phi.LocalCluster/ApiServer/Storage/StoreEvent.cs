using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Storage;

/// <summary>What happened to an object.</summary>
internal enum StoreEventType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>
/// One change. Objects in the store are never altered after they were put in; a reader that wants to change one clones it.
/// </summary>
/// <param name="Object">The new state; for a deletion the last state with the deletion's resourceVersion.</param>
/// <param name="Previous">The state before; null for an addition.</param>
internal sealed record StoreEvent(long Version, StoreEventType Type, string Resource, ObjectKey Key, JsonObject Object, JsonObject? Previous)
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The object as text: made once, for the journal and for every watcher.</summary>
    public ReadOnlyMemory<byte> Json { get; } = JsonSerializer.SerializeToUtf8Bytes(Object, Options);
}

/// <summary>Namespace (empty for cluster-scoped) and name.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name) : IComparable<ObjectKey>
{
    public int CompareTo(ObjectKey other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }
}

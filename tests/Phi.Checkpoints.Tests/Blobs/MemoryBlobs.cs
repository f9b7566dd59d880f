using System.Globalization;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>What a blob service promises of single blobs, and nothing else.</summary>
internal sealed class MemoryBlobs : IFencedBlobs
{
    private readonly Dictionary<string, FencedBlob> _blobs = [];
    private int _writes;

    public FencedBlob? Read(string name) => _blobs.GetValueOrDefault(name);

    public string? TryWrite(string name, ReadOnlyMemory<byte> content, bool isReservation, string? expected) => Read(name)?.Version == expected ? Put(name, content, isReservation) : null;

    public void Write(string name, ReadOnlyMemory<byte> content) => Put(name, content, isReservation: false);

    public void TryDelete(string name, string expected)
    {
        if (Read(name)?.Version == expected)
        {
            _blobs.Remove(name);
        }
    }

    public IReadOnlyList<(string Name, string Version)> Reservations() => [.. _blobs.Where(blob => blob.Value.IsReservation).Select(blob => (blob.Key, blob.Value.Version))];

    /// <summary>As retention does it: whatever is there goes.</summary>
    public void Remove(string name) => _blobs.Remove(name);

    public bool Has(string name) => Read(name) is { IsReservation: false };

    private string Put(string name, ReadOnlyMemory<byte> content, bool isReservation)
    {
        var version = (++_writes).ToString(CultureInfo.InvariantCulture);
        _blobs[name] = new FencedBlob(content.ToArray(), version, isReservation);
        return version;
    }
}

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>What <see cref="BlobFence"/> needs of a blob service: single blobs that are read whole and replaced only if they are as they were read.</summary>
internal interface IFencedBlobs
{
    /// <summary>Null if there is none.</summary>
    FencedBlob? Read(string name);

    /// <summary>Writes the blob if its version is the expected one; null: if there is none. The new version; null if it is another.</summary>
    string? TryWrite(string name, ReadOnlyMemory<byte> content, bool isReservation, string? expected);

    /// <summary>Writes the blob whatever is there.</summary>
    void Write(string name, ReadOnlyMemory<byte> content);

    /// <summary>Removes the blob if its version is the expected one.</summary>
    void TryDelete(string name, string expected);

    /// <summary>Names and versions of all reservations.</summary>
    IReadOnlyList<(string Name, string Version)> Reservations();
}

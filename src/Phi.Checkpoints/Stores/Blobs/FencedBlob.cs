namespace Phi.Checkpoints.Stores.Blobs;

/// <param name="Version">Changes with every write of the blob, and is never the same again.</param>
/// <param name="IsReservation">It stands where a manifest will be, and is none.</param>
internal sealed record FencedBlob(byte[] Content, string Version, bool IsReservation);

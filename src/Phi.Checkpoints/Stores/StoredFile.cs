namespace Phi.Checkpoints.Stores;

/// <param name="Name">Relative to the storage's root, parted by slashes.</param>
/// <param name="Modified">By the storage's clock.</param>
public sealed record StoredFile(string Name, long Bytes, DateTimeOffset Modified);

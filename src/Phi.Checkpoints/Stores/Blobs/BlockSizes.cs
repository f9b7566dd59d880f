namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>
/// Sizes of a blob's blocks by their index. A blob has at most 50,000 blocks (learn.microsoft.com/rest/api/storageservices/put-block-list)
/// and a file's length is not known when its first one is cut, so blocks double in size every so often: 8 MiB at first reach 2.4 TiB.
/// </summary>
internal static class BlockSizes
{
    public const int MostBlocks = 50_000;
    private const int BlocksOfOneSize = 10_000;

    /// <exception cref="StorageException">There is no such block: the file is too long.</exception>
    public static int Of(int index, int first) => index < MostBlocks
        ? checked(first << (index / BlocksOfOneSize))
        : throw new StorageException($"a blob has at most {MostBlocks} blocks; cut the state into more shards (more ranks, or spec.zero.stage above 0)") { Fault = StorageFault.Refused };
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>Single blobs of a container, below a prefix that ends with a slash or is empty.</summary>
internal sealed class ContainerBlobs(BlobContainerClient container, string prefix, BlobFaults faults) : IFencedBlobs
{
    public FencedBlob? Read(string name) => faults.Guard(() =>
    {
        try
        {
            var answer = container.GetBlobClient(prefix + name).DownloadContent().Value;
            return BlobNames.IsDirectory(answer.Details.Metadata) ? null : new FencedBlob(answer.Content.ToArray(), answer.Details.ETag.ToString(), BlobNames.IsReservation(answer.Details.Metadata));
        }
        catch (RequestFailedException e) when (IsMissing(e))
        {
            return null;
        }
    });

    public string? TryWrite(string name, ReadOnlyMemory<byte> content, bool isReservation, string? expected) => faults.Guard(() =>
    {
        try
        {
            return Put(name, content, isReservation, expected is null ? new BlobRequestConditions { IfNoneMatch = ETag.All } : new BlobRequestConditions { IfMatch = new ETag(expected) });
        }
        catch (RequestFailedException e) when (IsOther(e))
        {
            return null;
        }
    });

    public void Write(string name, ReadOnlyMemory<byte> content) => faults.Guard(() => Put(name, content, false, null));

    public void TryDelete(string name, string expected) => faults.Guard(() =>
    {
        try
        {
            return container.GetBlobClient(prefix + name).DeleteIfExists(DeleteSnapshotsOption.IncludeSnapshots, new BlobRequestConditions { IfMatch = new ETag(expected) }).Value;
        }
        catch (RequestFailedException e) when (IsOther(e))
        {
            return false;
        }
    });

    public IReadOnlyList<(string Name, string Version)> Reservations() =>
        [.. List(CheckpointStore.StepPrefix).Where(blob => BlobNames.IsReservation(blob.Metadata)).Select(blob => (blob.Name[prefix.Length..], blob.Properties.ETag.ToString()!))];

    /// <summary>All blobs whose names begin so, reservations and directories among them.</summary>
    public IReadOnlyList<BlobItem> List(string start) => faults.Guard(() => container.GetBlobs(BlobTraits.Metadata, BlobStates.None, prefix + start, default).ToList());

    /// <summary>The blob is not there, and its container is.</summary>
    public static bool IsMissing(RequestFailedException e) => e.Status == 404 && e.ErrorCode is "BlobNotFound" or "ResourceNotFound" or "PathNotFound";

    private static bool IsOther(RequestFailedException e) => IsMissing(e) || e is { Status: 412 } or { Status: 409, ErrorCode: "BlobAlreadyExists" or "UnauthorizedBlobOverwrite" };

    private string Put(string name, ReadOnlyMemory<byte> content, bool isReservation, BlobRequestConditions? conditions) =>
        container.GetBlobClient(prefix + name).Upload(BinaryData.FromBytes(content), new BlobUploadOptions { Conditions = conditions, Metadata = isReservation ? BlobNames.ReservationMark : null }).Value.ETag.ToString();
}

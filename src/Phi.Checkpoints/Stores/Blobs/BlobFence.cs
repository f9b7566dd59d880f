using System.Globalization;
using System.Text;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>
/// What an attempt finds when it begins is all that older ones of its run ever commit, without a lock that could end under a stalled
/// writer. A commit reserves the manifest's name, then looks at the run's marker, then replaces the reservation, and only the very one that
/// it holds. An attempt that begins writes the marker and then every reservation anew, so that what others hold is worthless: they have to
/// look at the marker once more. Why that is enough: this folder's README.md.
/// </summary>
internal sealed class BlobFence(IFencedBlobs blobs)
{
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    public void Begin(string runId, int attempt)
    {
        var marker = Check(runId, attempt);
        while (Attempt(marker) != attempt && blobs.TryWrite(MarkerOf(runId), Encoding.UTF8.GetBytes(attempt.ToString(CultureInfo.InvariantCulture)), isReservation: false, marker?.Version) is null)
        {
            marker = Check(runId, attempt);
        }

        foreach (var (name, version) in blobs.Reservations())
        {
            // One that has changed since is no older attempt's: whoever read it did so after the marker was there.
            blobs.TryWrite(name, default, isReservation: true, version);
        }
    }

    /// <summary>As <see cref="ICheckpointStorage.Commit"/>.</summary>
    public bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged)
    {
        Check(runId, attempt);
        var isNew = Publish(runId, attempt, manifest, content, damaged.Contains(manifest));
        foreach (var name in damaged.Where(name => name != manifest))
        {
            if (blobs.Read(name) is { IsReservation: false } found)
            {
                blobs.Write(ICheckpointStorage.DamagedName(name), found.Content);
                blobs.TryDelete(name, found.Version);
            }
        }

        return isNew;
    }

    private bool Publish(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, bool isDamaged)
    {
        for (var hasTried = false; ; hasTried = true)
        {
            var found = blobs.Read(manifest);
            // The answer to the first try may have been lost on its way.
            if (hasTried && found is { IsReservation: false } && content.Span.SequenceEqual(found.Content))
            {
                return true;
            }

            if (found is { IsReservation: false } && (hasTried || !isDamaged))
            {
                return false;
            }

            if (Reserve(manifest, found) is not { } reservation)
            {
                continue;
            }

            Check(runId, attempt);
            if (blobs.TryWrite(manifest, content, isReservation: false, reservation) is not null)
            {
                return true;
            }
        }
    }

    /// <summary>The version of the reservation that stands there now; null if somebody else changed what was found.</summary>
    private string? Reserve(string manifest, FencedBlob? found)
    {
        if (found is { IsReservation: true })
        {
            return found.Version;
        }

        if (found is not null)
        {
            blobs.Write(ICheckpointStorage.DamagedName(manifest), found.Content);
        }

        return blobs.TryWrite(manifest, default, isReservation: true, found?.Version);
    }

    private FencedBlob? Check(string runId, int attempt)
    {
        var marker = blobs.Read(MarkerOf(runId));
        return Attempt(marker) <= attempt ? marker : throw new SupersededException(runId, attempt, Attempt(marker));
    }

    /// <summary>-1 without a marker: such a run has no fence.</summary>
    private static int Attempt(FencedBlob? marker) => marker is not null && int.TryParse(Encoding.UTF8.GetString(marker.Content), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) ? attempt : -1;

    private static string MarkerOf(string runId) => $"attempts/{Uri.EscapeDataString(runId)}";
}

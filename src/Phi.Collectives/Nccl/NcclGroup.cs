using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Nccl;

/// <summary>Ranks with a GPU each, joined by NCCL.</summary>
public static class NcclGroup
{
    /// <summary>Makes a group on device memory of the ranks of a group on host memory. Collective.</summary>
    /// <param name="host">For the rendezvous, and for later splits; it stays the caller's, and outlives what is returned.</param>
    /// <param name="context">Of this rank's GPU; threads that call the group make it current, and their stream.</param>
    /// <returns>
    /// Collectives on device memory that go into the calling thread's stream. A handle's wait does not wait for the device, and buffers
    /// belong to the group until the stream has passed the collective. Disposed before the host's group, with the stream at rest.
    /// </returns>
    /// <exception cref="RendezvousException">A rank did not come within the deadline; two ranks share a GPU; NCCL is too old, or not the same on every rank.</exception>
    /// <exception cref="DllNotFoundException">NCCL is not on this node.</exception>
    public static async Task<ICommunicator> ConnectAsync(ICommunicator host, CudaContext context, SumKernel sum, NcclOptions options, CancellationToken cancellationToken)
    {
        NcclApi.ThrowIfFailed(NcclApi.GetVersion(out var version), "tell its version");
        context.MakeCurrent();
        var seats = HostMessages.Gather(host, new Seat(options.NodeRank, context.PciAddress, context.Ordinal, version));
        if (Refusal(seats) is { } refusal)
        {
            throw new RendezvousException(refusal);
        }

        var control = await ControlMeeting.MeetAsync(host, options, cancellationToken);
        context.MakeCurrent();
        var family = new NcclFamily(host.Rank, context, options);
        var watchdog = new Watchdog(family, control);
        try
        {
            var id = default(NcclUniqueId);
            if (host.Rank == 0)
            {
                NcclApi.ThrowIfFailed(NcclApi.GetUniqueId(out id), "make a unique id");
            }

            HostMessages.Broadcast(host, id);
            var scopes = seats.Select(seat => seat.NodeRank == options.NodeRank ? WireScope.Intra : WireScope.Inter).ToArray();
            int[] ranks = [.. Enumerable.Range(0, host.WorldSize)];
            return new NcclCommunicator(family, family.Join(id, ranks), host, ranks, scopes, sum, watchdog);
        }
        catch (Exception)
        {
            await family.ReleaseAllAsync();
            watchdog.Dispose();
            family.Dispose();
            throw;
        }
    }

    private static string? Refusal(Seat[] seats)
    {
        for (var rank = 0; rank < seats.Length; rank++)
        {
            var seat = seats[rank];
            if (seat.Version < NcclApi.OldestVersion || seat.Version != seats[0].Version)
            {
                return $"rank {rank} has NCCL {NcclApi.VersionText(seat.Version)} and rank 0 {NcclApi.VersionText(seats[0].Version)}; every rank needs the same one, {NcclApi.VersionText(NcclApi.OldestVersion)} or newer";
            }

            var other = Array.FindIndex(seats, 0, rank, before => before.NodeRank == seat.NodeRank && before.Address == seat.Address);
            if (other >= 0)
            {
                return $"ranks {other} and {rank} of node {seat.NodeRank} share CUDA device {seat.Ordinal} ({seat.Address}), and NCCL joins only ranks with a GPU each: give the node one rank for each GPU, or join these ranks by a {nameof(StagedCommunicator)}";
            }
        }

        return null;
    }

    /// <summary>What every rank tells of itself.</summary>
    internal readonly record struct Seat(int NodeRank, PciAddress Address, int Ordinal, int Version);
}

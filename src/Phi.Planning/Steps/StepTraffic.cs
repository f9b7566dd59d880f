using Phi.Planning.Shapes;

namespace Phi.Planning.Steps;

/// <summary>Bytes that all ranks send in a step, by collective and scope; all-reduces of single values (loss, norm) are left out.</summary>
public sealed record StepTraffic(IReadOnlyList<CollectiveBytes> Collectives)
{
    /// <summary>A step of more passes moves as much more as its last passes do.</summary>
    private const int CountedPasses = 3;

    public long WithinNodes => Collectives.Sum(collective => collective.WithinNodes);

    public long AcrossNodes => Collectives.Sum(collective => collective.AcrossNodes);

    public static StepTraffic Of(JobShape job)
    {
        var costs = new TransferCosts(job);
        var placement = new Placement(job);
        var peers = new Dictionary<HopScope, (long Same, long Other)>();
        var totals = new SortedDictionary<string, CollectiveBytes>(StringComparer.Ordinal);
        foreach (var (transfer, count) in Counts(job))
        {
            foreach (var hop in costs.Hops(transfer).Where(hop => hop.Message > 0))
            {
                var (same, other) = AllPeers(hop.Scope);
                var (sent, total) = (count * hop.Rounds * hop.Message, totals.GetValueOrDefault(hop.Collective) ?? new CollectiveBytes(hop.Collective, 0, 0));
                totals[hop.Collective] = total with { WithinNodes = total.WithinNodes + sent * same, AcrossNodes = total.AcrossNodes + sent * other };
            }
        }

        return new StepTraffic([.. totals.Values]);

        (long Same, long Other) AllPeers(HopScope scope)
        {
            if (!peers.TryGetValue(scope, out var found))
            {
                for (var rank = 0; rank < job.Ranks; rank++)
                {
                    var (same, other) = placement.Peers(scope, rank);
                    found = (found.Same + same, found.Other + other);
                }

                peers[scope] = found;
            }

            return found;
        }
    }

    private static Dictionary<Transfer, long> Counts(JobShape job)
    {
        var all = Count(Math.Min(job.Passes, CountedPasses));
        if (job.Passes > CountedPasses)
        {
            var fewer = Count(CountedPasses - 1);
            foreach (var (transfer, count) in all)
            {
                all[transfer] = count + (count - fewer.GetValueOrDefault(transfer)) * (job.Passes - CountedPasses);
            }
        }

        return all;

        Dictionary<Transfer, long> Count(int passes) => StepProgram.Of(job, passes).Transfers.CountBy(transfer => transfer).ToDictionary(pair => pair.Key, pair => (long)pair.Value);
    }
}

/// <param name="Collective">all-gather, all-to-all or all-reduce.</param>
public sealed record CollectiveBytes(string Collective, long WithinNodes, long AcrossNodes);

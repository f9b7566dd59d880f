using Phi.Collectives;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>
/// What a rank sent in each step, by collective and scope, such as <c>comm_bytes_all_gather_inter</c>; and seconds of communication,
/// with the part of them that the compute waited for (<c>comm_seconds</c>, <c>comm_exposed_seconds</c>).
/// </summary>
internal sealed class TrafficMetrics(TrainingLoop loop)
{
    private static readonly (CollectiveOperation Operation, WireScope Scope, string Name)[] Counters =
    [
        .. from operation in Enum.GetValues<CollectiveOperation>()
           from scope in Enum.GetValues<WireScope>()
           select (operation, scope, $"comm_bytes_{Words(operation)}_{Words(scope)}"),
    ];

    private readonly Dictionary<string, double> _before = [];

    /// <summary>What came until now is no step's: a load, a checkpoint or an evaluation.</summary>
    public void Skip() => AddTo([]);

    /// <summary>Adds what came since the last call, or since <see cref="Skip"/>; counters that never moved are left out.</summary>
    public void AddTo(Dictionary<string, double> metrics)
    {
        foreach (var (operation, scope, name) in Counters)
        {
            Add(metrics, name, loop.Traffic.Bytes(operation, scope));
        }

        var (busy, exposed) = loop.CommunicationTime;
        Add(metrics, "comm_seconds", busy.TotalSeconds);
        Add(metrics, "comm_exposed_seconds", exposed.TotalSeconds);
    }

    private void Add(Dictionary<string, double> metrics, string name, double total)
    {
        if (total > 0)
        {
            metrics[name] = total - _before.GetValueOrDefault(name);
            _before[name] = total;
        }
    }

    private static string Words<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

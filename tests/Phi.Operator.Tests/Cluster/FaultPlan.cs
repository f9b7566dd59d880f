using System.Collections.Concurrent;

namespace Phi.Operator.Tests.Cluster;

/// <summary>Calls by their <see cref="ApiCallName"/>, and the fault that the first one of each name meets; over all connections of an operator.</summary>
public sealed class FaultPlan(IReadOnlyDictionary<string, Fault> faults)
{
    private readonly ConcurrentDictionary<string, int> _made = new(StringComparer.Ordinal);

    public FaultPlan(string call, Fault fault)
        : this(new Dictionary<string, Fault>(StringComparer.Ordinal) { [call] = fault })
    {
    }

    /// <summary>Names of the calls that were made, in alphabetical order.</summary>
    public IEnumerable<string> Made => _made.Keys.Order(StringComparer.Ordinal);

    /// <summary>Calls that should have met a fault and were never made.</summary>
    public IEnumerable<string> Missed => faults.Keys.Except(_made.Keys).Order(StringComparer.Ordinal);

    /// <summary>Hears of a call that is about to be made, and says what happens to it.</summary>
    public Fault? Next(string call) => _made.AddOrUpdate(call, 1, (_, times) => times + 1) == 1 && faults.TryGetValue(call, out var fault) ? fault : null;
}

using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>
/// A job's whole life with faults of the API server on the way: the end is always the same. PHI_FAULTS=all breaks each call with each fault
/// in a life of its own; PHI_FAULTS=TEXT does so for those whose name holds the text, such as <c>Gone at apply pods</c>.
/// </summary>
public sealed class FaultScenarioTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    /// <summary>Faults that meet a call alone, of all those that could; the square meets them all, if not alone.</summary>
    private const int Sampled = 6;
    private const int Seed = 1;
    private static readonly string? Wanted = Environment.GetEnvironmentVariable("PHI_FAULTS");
    private static readonly Fault[] OfRequests = [Fault.Conflict, Fault.Gone, Fault.TooManyRequests, Fault.ServerError, Fault.RequestLost, Fault.AnswerLost];
    private static readonly Fault[] OfWatches = [.. OfRequests, Fault.WatchCut, Fault.WatchReplayed, Fault.WatchGone];

    /// <summary>Every call that each life makes, with every fault that it can meet.</summary>
    private static readonly IReadOnlyList<(string Call, Fault Fault)> Pairs = [.. FaultLife.Calls.SelectMany(call => FaultsOf(call).Select(fault => (call, fault)))];

    public static TheoryData<string> Single
    {
        get
        {
            var names = Pairs.Select(pair => $"{pair.Fault} at {pair.Call}").ToArray();
            if (Wanted is null)
            {
                new Random(Seed).Shuffle(names);
                return [.. names.Take(Sampled)];
            }

            return [.. names.Where(name => Wanted == "all" || name.Contains(Wanted, StringComparison.Ordinal))];
        }
    }

    public static TheoryData<int> Turns => [.. Enumerable.Range(0, OfWatches.Length)];

    [Fact(Timeout = 300_000)]
    public async Task Life_WithoutFaults_MakesTheCallsThatAreNamed()
    {
        var plan = new FaultPlan(new Dictionary<string, Fault>(StringComparer.Ordinal));

        Assert.Equal(FaultLife.End, await FaultLife.RunAsync(cluster, plan, TestContext.Current.CancellationToken));
        Assert.Equal([.. FaultLife.Calls.Order(StringComparer.Ordinal)], plan.Made.Where(call => FaultLife.Calls.Contains(call) || !call.Contains(" events ", StringComparison.Ordinal)));
    }

    /// <summary>A Latin square: within the turns each call meets each fault once, and within a turn every call meets one.</summary>
    [Theory(Timeout = 600_000)]
    [MemberData(nameof(Turns))]
    public async Task Life_WithAFaultAtEveryCall_EndsTheSame(int turn)
    {
        var plan = new FaultPlan(FaultLife.Calls.Index().ToDictionary(entry => entry.Item, entry => FaultsOf(entry.Item) is var faults ? faults[(entry.Index + turn) % faults.Length] : default, StringComparer.Ordinal));

        Assert.Equal(FaultLife.End, await FaultLife.RunAsync(cluster, plan, TestContext.Current.CancellationToken));
        // Events tell of states: after a fault the next state may be the first that is seen.
        Assert.DoesNotContain(plan.Missed, call => !call.StartsWith("create events ", StringComparison.Ordinal));
    }

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Single))]
    public async Task Life_WithOneFault_EndsTheSame(string name)
    {
        var (call, fault) = Pairs.Single(pair => $"{pair.Fault} at {pair.Call}" == name);
        var plan = new FaultPlan(call, fault);

        Assert.Equal(FaultLife.End, await FaultLife.RunAsync(cluster, plan, TestContext.Current.CancellationToken));
        Assert.Empty(plan.Missed);
    }

    private static Fault[] FaultsOf(string call) => call.StartsWith("watch ", StringComparison.Ordinal) ? OfWatches : OfRequests;
}

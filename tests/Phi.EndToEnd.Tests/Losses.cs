using Phi.Chaos;

namespace Phi.EndToEnd.Tests;

/// <summary>Losses of a run, as its effective curve has them.</summary>
internal static class Losses
{
    public static async Task<SortedDictionary<long, double>> EffectiveAsync(string database, string runUid) =>
        Curve.Effective(await Curve.ReadAsync(database, runUid, TestContext.Current.CancellationToken));

    /// <summary>Fails unless both curves have every step from 1 to <paramref name="steps"/> and are equal to the last bit.</summary>
    public static void AssertEqual(SortedDictionary<long, double> expected, SortedDictionary<long, double> actual, long steps)
    {
        Assert.Equal(Enumerable.Range(1, (int)steps).Select(i => (long)i), expected.Keys);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.Equal(expected.Values.Select(BitConverter.DoubleToInt64Bits), actual.Values.Select(BitConverter.DoubleToInt64Bits));
    }
}

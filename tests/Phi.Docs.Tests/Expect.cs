namespace Phi.Docs.Tests;

/// <summary>Assertions whose message is whole.</summary>
internal static class Expect
{
    /// <summary>Nothing is wrong, or the test fails with a line for each thing that is.</summary>
    public static void Nothing(IEnumerable<string> wrong)
    {
        var all = string.Join('\n', wrong);
        Assert.True(all.Length == 0, all);
    }
}

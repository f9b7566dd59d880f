using Xunit.Sdk;
using Xunit.v3;

namespace Phi.EndToEnd.Tests;

/// <summary>Runs the tests that look at what all others did after these.</summary>
public sealed class RightsLast : ITestCollectionOrderer
{
    public const string Collection = "after all others";

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName == Collection)];
}

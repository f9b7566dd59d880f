using CsCheck;
using Phi.Training.Loop;

namespace Phi.Training.Tests;

/// <summary>The global batch is the same samples whatever the world.</summary>
public sealed class BatchShareTests
{
    [Fact]
    public void Of_AnyBatchesAndWorld_GivesEverySampleOnceInOrder() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 9], Gen.Int[1, 12]).Sample((global, micro, world) =>
        {
            var shares = Enumerable.Range(0, world).Select(rank => new BatchShare(global, micro, world, rank)).ToList();
            var samples = new List<long>();
            for (var pass = 0; pass < shares[0].Passes; pass++)
            {
                var parts = shares.ConvertAll(share => share.Of(pass));
                Assert.All(parts, part => Assert.InRange(part.Count, 0, micro));
                Assert.InRange(parts.Max(part => part.Count) - parts.Min(part => part.Count), 0, 1);
                samples.AddRange(parts.SelectMany(part => Enumerable.Range(0, part.Count).Select(i => part.First + i)));
            }

            Assert.Equal(Enumerable.Range(0, global).Select(i => (long)i), samples);
            Assert.All(shares, share => Assert.Equal(shares[0].Passes, share.Passes));
        }, iter: 500);
}

using Phi.Training.Loop;

namespace Phi.Training.Tests;

/// <summary>That snapshots do not change with training, that there are two at a time, and that the memory of one is used again. Collective.</summary>
internal static unsafe class SnapshotCheck
{
    public static void Run(TrainingLoop loop)
    {
        using var first = loop.Snapshot();
        var before = Values(first);
        loop.Step();
        nint memory;
        using (var second = loop.Snapshot())
        {
            memory = second.Tensors[0].Values;
            var after = Values(second);
            Assert.NotEqual(before, after);
            Assert.Throws<InvalidOperationException>(loop.Snapshot);
            loop.Step();

            Assert.Equal(before, Values(first));
            Assert.Equal(after, Values(second));
        }

        using var next = loop.Snapshot();
        Assert.Equal(memory, next.Tensors[0].Values);
        Assert.NotEqual(before, Values(next));
    }

    private static float[] Values(HostState state) => [.. state.Tensors.SelectMany(tensor => new ReadOnlySpan<float>((float*)tensor.Values, (int)tensor.Length).ToArray())];
}

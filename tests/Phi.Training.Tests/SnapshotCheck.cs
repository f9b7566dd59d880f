using Phi.Training.Loop;

namespace Phi.Training.Tests;

/// <summary>That a snapshot does not change with training, and that its memory is used again. Collective.</summary>
internal static unsafe class SnapshotCheck
{
    public static void Run(TrainingLoop loop)
    {
        nint memory;
        float[] first;
        using (var snapshot = loop.Snapshot())
        {
            memory = snapshot.Tensors[0].Values;
            first = Values(snapshot);
            loop.Step();

            Assert.Equal(first, Values(snapshot));
            Assert.Throws<InvalidOperationException>(loop.Snapshot);
        }

        using var next = loop.Snapshot();
        Assert.Equal(memory, next.Tensors[0].Values);
        Assert.NotEqual(first, Values(next));
    }

    private static float[] Values(HostState state) => [.. state.Tensors.SelectMany(tensor => new ReadOnlySpan<float>((float*)tensor.Values, (int)tensor.Length).ToArray())];
}

using Phi.Training.Loop;

namespace Phi.Training.Tests;

/// <summary>What a checkpoint would hold of a rank, in memory.</summary>
internal static unsafe class SavedState
{
    public static Dictionary<string, float[]> Save(TrainingLoop loop)
    {
        using var state = loop.State();
        return state.Tensors.ToDictionary(tensor => tensor.Name, tensor => new ReadOnlySpan<float>((float*)tensor.Values, (int)tensor.Length).ToArray());
    }

    public static void Load(TrainingLoop loop, Dictionary<string, float[]> saved, long steps)
    {
        using var state = loop.State();
        foreach (var tensor in state.Tensors)
        {
            saved[tensor.Name].CopyTo(new Span<float>((float*)tensor.Values, (int)tensor.Length));
        }

        state.Apply();
        loop.CompletedSteps = steps;
    }
}

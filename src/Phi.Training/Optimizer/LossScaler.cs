namespace Phi.Training.Optimizer;

/// <summary>
/// Dynamic loss scaling for fp16 (arXiv 1710.03740, section 3.2; schedule and constants of PyTorch's GradScaler): a step whose gradient
/// overflowed is skipped and halves the scale; 2,000 good steps in a row double it. Same on every rank, since the norm is.
/// </summary>
internal sealed class LossScaler
{
    private const float Initial = 65536;
    private const float Largest = 1 << 24;
    private const int GrowthInterval = 2000;
    private readonly float[] _state = GC.AllocateArray<float>(3, pinned: true);

    public LossScaler() => Restart();

    /// <summary>Part of the checkpoint: the scale, good steps since it changed, steps skipped in all.</summary>
    public float[] State => _state;

    public float Scale => _state[0];

    /// <summary>Updates that the optimizer did not make.</summary>
    public long Skipped => (long)_state[2];

    public void Restart()
    {
        Array.Clear(_state);
        _state[0] = Initial;
    }

    /// <summary>Whether the step's gradient is to be used; adapts the scale.</summary>
    /// <param name="norm">Of the gradient.</param>
    public bool Accept(float norm)
    {
        if (!float.IsFinite(norm))
        {
            _state[0] = Math.Max(1, _state[0] / 2);
            _state[1] = 0;
            _state[2]++;
            return false;
        }

        if (++_state[1] >= GrowthInterval)
        {
            _state[0] = Math.Min(Largest, _state[0] * 2);
            _state[1] = 0;
        }

        return true;
    }
}

namespace Phi.Training.Loop;

/// <summary>fp32 values that outlive the process in a checkpoint; length in elements.</summary>
public readonly record struct StateTensor(string Name, nint Values, long Length);

namespace Phi.Trainer.Progress;

/// <summary>A line of the progress file, without its end.</summary>
/// <param name="Number">From 1.</param>
/// <param name="IsTorn">Its end was never written, or it is part of a line longer than any report.</param>
internal sealed record FileLine(long Number, ReadOnlyMemory<byte> Text, bool IsTorn);

namespace Phi.Training.Generation;

/// <summary>A token of one sequence in a pass of <see cref="ICachedForward"/>.</summary>
/// <param name="Position">In the sequence, from 0; all before it are in the slot's cache, or in the same pass before this row.</param>
/// <param name="HasLogits">Whether the logits after it are wanted.</param>
public readonly record struct TokenRow(int Slot, int Position, int Token, bool HasLogits);

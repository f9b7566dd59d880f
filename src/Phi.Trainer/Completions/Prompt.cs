namespace Phi.Trainer.Completions;

/// <summary>A text to complete.</summary>
/// <param name="Text">As it is in the file.</param>
/// <param name="Tokens">At least one, fewer than the model's sequence length.</param>
/// <param name="Stops">What ends a completion; none is empty.</param>
/// <param name="IsCut">Whether the text has more tokens, before these.</param>
internal sealed record Prompt(string Id, string Text, IReadOnlyList<int> Tokens, IReadOnlyList<string> Stops, bool IsCut = false);

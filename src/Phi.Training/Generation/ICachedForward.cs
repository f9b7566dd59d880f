namespace Phi.Training.Generation;

/// <summary>
/// The forward pass of several sequences that keeps the keys and values of each in a slot: a further token costs one pass over itself.
/// A pass takes tokens of any sequences, one of each or many of one. fp32, without dropout; the same function as <see cref="Model.PhiForward"/>.
/// </summary>
public interface ICachedForward : IDisposable
{
    ModelConfiguration Model { get; }

    /// <summary>Sequences at once.</summary>
    int Slots { get; }

    /// <summary>Most rows of one pass, more than the slots.</summary>
    int Rows { get; }

    /// <summary>Runs the rows and keeps their keys and values.</summary>
    /// <param name="logits">[rows that want them, at most the slots; V], in the rows' order.</param>
    void Run(IReadOnlyList<TokenRow> rows, Span<float> logits);

    /// <summary>The first positions of one slot become those of another.</summary>
    void Copy(int from, int to, int positions);
}

namespace Phi.Trainer.Completions;

/// <summary>A line of the output.</summary>
/// <param name="Sample">From 0.</param>
/// <param name="Text">Without the prompt, and up to the stop that ended it.</param>
/// <param name="Tokens">That were generated, those of the stop included and the end of text not.</param>
/// <param name="Finish"><see cref="Stop"/> or <see cref="Length"/>.</param>
internal sealed record Completion(string Id, int Sample, string Text, int Tokens, string Finish)
{
    /// <summary>A stop, or the end of text.</summary>
    public const string Stop = "stop";

    /// <summary>So many tokens as were asked for, or as the sequence has room for.</summary>
    public const string Length = "length";
}

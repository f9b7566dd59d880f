namespace Phi.Training.Data;

/// <summary>Tokens of byte-level models.</summary>
public static class ByteCorpus
{
    /// <summary>The token after the 256 bytes.</summary>
    public const ushort EndOfText = 256;
}

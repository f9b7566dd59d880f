using System.Runtime.InteropServices;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>A few documents, and what one core makes of them: pieces of tokens that each lie on one side and end with the end of text.</summary>
/// <param name="progress">The reader's, after the last of the documents.</param>
internal sealed class TokenBatch(List<(long Number, byte[] Content, bool IsHeldOut)> documents, PrepareProgress progress)
{
    private readonly List<int> _tokens = [];
    private readonly List<(long Document, bool IsHeldOut, int End)> _pieces = [];

    public PrepareProgress Progress => progress;

    public void Encode(ITokenizer tokenizer, HeldOutRule rule)
    {
        foreach (var (number, content, isHeldOut) in documents)
        {
            if (rule.ChunkBytes == 0)
            {
                tokenizer.Encode(content, _tokens);
                End(number, isHeldOut, tokenizer);
                continue;
            }

            bool? side = null;
            foreach (var (chunk, isOut) in HeldOutChunks.Cut(content, rule))
            {
                if (side is { } before && before != isOut)
                {
                    End(number, before, tokenizer);
                }

                // Chunks are encoded one by one: what is held out is no part of a training token.
                tokenizer.Encode(chunk.Span, _tokens);
                side = isOut;
            }

            End(number, side!.Value, tokenizer);
        }
    }

    public void WriteTo(ShardWriter training, ShardWriter heldOut)
    {
        var start = 0;
        foreach (var (document, isHeldOut, end) in _pieces)
        {
            (isHeldOut ? heldOut : training).Append(document, CollectionsMarshal.AsSpan(_tokens)[start..end]);
            start = end;
        }
    }

    private void End(long document, bool isHeldOut, ITokenizer tokenizer)
    {
        _tokens.Add(tokenizer.EndOfText);
        _pieces.Add((document, isHeldOut, _tokens.Count));
    }
}

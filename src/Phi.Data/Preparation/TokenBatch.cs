using System.Runtime.InteropServices;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>A few documents, and what one core makes of them: pieces of tokens that each lie on one side and end with the end of text.</summary>
/// <param name="progress">The reader's, after the last of the documents.</param>
internal sealed class TokenBatch(List<(KeptDocument Document, bool IsHeldOut)> documents, PrepareProgress progress)
{
    private readonly List<int> _tokens = [];
    private readonly List<(KeptDocument Document, bool IsHeldOut, int End)> _pieces = [];

    public PrepareProgress Progress => progress;

    public void Encode(ITokenizer tokenizer, HeldOutRule rule)
    {
        foreach (var (document, isHeldOut) in documents)
        {
            if (rule.ChunkBytes == 0)
            {
                tokenizer.Encode(document.Content, _tokens);
                End(document, isHeldOut, tokenizer);
                continue;
            }

            bool? side = null;
            foreach (var (chunk, isOut) in HeldOutChunks.Cut(document.Content, rule))
            {
                if (side is { } before && before != isOut)
                {
                    End(document, before, tokenizer);
                }

                // Chunks are encoded one by one: what is held out is no part of a training token.
                tokenizer.Encode(chunk.Span, _tokens);
                side = isOut;
            }

            End(document, side!.Value, tokenizer);
        }
    }

    public void WriteTo(ShardWriter training, ShardWriter heldOut)
    {
        var start = 0;
        foreach (var (document, isHeldOut, end) in _pieces)
        {
            (isHeldOut ? heldOut : training).Append(document.Number, document.Language, CollectionsMarshal.AsSpan(_tokens)[start..end]);
            start = end;
        }
    }

    private void End(KeptDocument document, bool isHeldOut, ITokenizer tokenizer)
    {
        _tokens.Add(tokenizer.EndOfText);
        _pieces.Add((document, isHeldOut, _tokens.Count));
    }
}

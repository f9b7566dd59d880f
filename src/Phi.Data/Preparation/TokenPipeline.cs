using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>Reads documents on one thread and tokenises them on as many as there are cores; the batches come out in the documents' order.</summary>
internal sealed class TokenPipeline(DocumentStream stream, ITokenizer tokenizer, HeldOutRule rule, int batchBytes)
{
    /// <param name="training">Documents before it were finished on that side in an earlier run: they are read, and not tokenised.</param>
    public async IAsyncEnumerable<TokenBatch> RunAsync(TokenPlace training, TokenPlace heldOut, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<Task<TokenBatch>>(Environment.ProcessorCount + 1);
        var reading = Task.Run(() => ReadAsync(channel.Writer, training, heldOut, stop.Token), CancellationToken.None);
        try
        {
            await foreach (var batch in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return await batch;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading;
        }
    }

    /// <summary>Never fails itself: the channel carries the error.</summary>
    private async Task ReadAsync(ChannelWriter<Task<TokenBatch>> into, TokenPlace training, TokenPlace heldOut, CancellationToken cancellationToken)
    {
        try
        {
            var (documents, bytes, unsaid) = (new List<(KeptDocument, bool)>(), 0, 0);
            await foreach (var document in stream.ReadAsync(cancellationToken))
            {
                var isHeldOut = rule.ChunkBytes == 0 && document.Place < rule.Threshold;
                var first = rule.ChunkBytes > 0 ? Math.Min(training.Document, heldOut.Document) : isHeldOut ? heldOut.Document : training.Document;
                var length = document.Content.Length;
                if (document.Number >= first)
                {
                    documents.Add((document, isHeldOut));
                    bytes += length;
                }

                unsaid += length;
                if (bytes >= batchBytes || unsaid >= 64 * batchBytes)
                {
                    await into.WriteAsync(Start(documents), cancellationToken);
                    (documents, bytes, unsaid) = ([], 0, 0);
                }
            }

            await into.WriteAsync(Start(documents), cancellationToken);
            into.Complete();
        }
        catch (Exception e)
        {
            into.Complete(e);
        }
    }

    private Task<TokenBatch> Start(List<(KeptDocument, bool)> documents)
    {
        var report = stream.Report;
        var batch = new TokenBatch(documents, new PrepareProgress(stream.Documents, report.Duplicates, report.Filtered, 0, report.Read.Bytes));
        return Task.Run(() =>
        {
            batch.Encode(tokenizer, rule);
            return batch;
        });
    }
}

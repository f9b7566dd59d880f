using System.Security.Cryptography;
using System.Text;
using Phi.Data.Tokenizers;
using Phi.Training.Generation;
using Phi.Training.Kernels;

namespace Phi.Trainer.Completions;

/// <summary>Generates the completions that are missing, and appends each as it is done.</summary>
/// <param name="batch">Empty.</param>
internal sealed class CompletionRun(CompleteOptions options, ITokenizer tokenizer, TokenBatch batch, CompletionFile output, CompletionProgress progress)
{
    private readonly Dictionary<TokenSequence, (Prompt Prompt, int Sample, CompletionText Text)> _open = [];

    /// <summary>False if it was stopped before the end.</summary>
    public bool Run(IEnumerable<(Prompt Prompt, int Sample)> missing, CancellationToken stop)
    {
        using var next = missing.GetEnumerator();
        var hasNext = next.MoveNext();
        while ((hasNext || !batch.IsEmpty) && !stop.IsCancellationRequested)
        {
            for (; hasNext && batch.HasRoom; hasNext = next.MoveNext())
            {
                var (prompt, sample) = next.Current;
                _open.Add(batch.Start(prompt.Tokens, Stream(options.Sampling.Seed, prompt.Id, sample)), (prompt, sample, new CompletionText(tokenizer, prompt.Stops)));
            }

            var tokens = batch.Step();
            foreach (var (sequence, token) in tokens)
            {
                Take(sequence, token);
            }

            progress.Generated(tokens.Count);
        }

        return !hasNext && batch.IsEmpty;
    }

    /// <summary>Random numbers of a completion: they depend on nothing else.</summary>
    internal static ulong Stream(long seed, string id, int sample) =>
        CounterRandom.Bits((ulong)seed, BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(id))), (ulong)sample);

    private void Take(TokenSequence sequence, int token)
    {
        var (prompt, sample, text) = _open[sequence];
        var isEnd = token == tokenizer.EndOfText;
        var finish = isEnd || text.Add(token) ? Completion.Stop
            : sequence.Generated == options.MaxTokens || sequence.IsFull ? Completion.Length
            : null;
        if (finish is not null)
        {
            batch.End(sequence);
            _open.Remove(sequence);
            output.Append(new Completion(prompt.Id, sample, text.ToString(), sequence.Generated - (isEnd ? 1 : 0), finish));
            progress.Completed(prompt.Id);
        }
    }
}

using System.Security.Cryptography;
using Phi.Data.Quality;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>From the journal's state to the index: once over the documents, and once more in chunks if whole documents leave a side too short.</summary>
internal sealed class PreparationRun(PrepareOptions options, PreparedInputs inputs, QualityFilter? filter, PrepareJournal journal, IProgress<PrepareProgress>? progress)
{
    private readonly ITokenizer _tokenizer = options.Tokenizer.Tokenizer;

    private int Bits => _tokenizer.VocabularySize <= 1 << 16 ? 16 : 32;

    public async Task<(PreparedIndex Index, PrepareReport Report)> RunAsync(CancellationToken cancellationToken)
    {
        if (journal.Rule is null)
        {
            journal.Add(new HeldOutRule(0, (ulong)(inputs.HeldOutFraction * Math.Pow(2, 64))));
        }

        var (index, report) = await PassAsync(cancellationToken);
        if (inputs.HeldOutFraction > 0 && index.HeldOutRule.ChunkBytes == 0 && Math.Min(index.HeldOut.Tokens, index.Training.Tokens) < inputs.LeastHeldOut)
        {
            journal.Add(await HeldOutChunks.PlanAsync(inputs, Stream(), _tokenizer, cancellationToken));
            (index, report) = await PassAsync(cancellationToken);
        }

        return (index, report);
    }

    private async Task<(PreparedIndex Index, PrepareReport Report)> PassAsync(CancellationToken cancellationToken)
    {
        RemoveUnfinished();
        using var training = new ShardWriter(options.Output, isHeldOut: false, Bits, inputs.ShardTokens, journal);
        using var heldOut = new ShardWriter(options.Output, isHeldOut: true, Bits, inputs.ShardTokens, journal);
        var read = new PrepareProgress(0, 0, 0, 0, 0);
        var stream = Stream();
        var pipeline = new TokenPipeline(stream, _tokenizer, journal.Rule!, options.BatchBytes);
        await foreach (var batch in pipeline.RunAsync(training.Start, heldOut.Start, cancellationToken))
        {
            batch.WriteTo(training, heldOut);
            read = batch.Progress;
            progress?.Report(read with { Tokens = training.Tokens + heldOut.Tokens });
        }

        training.Complete(read.Documents);
        heldOut.Complete(read.Documents);
        if (read.Documents == 0)
        {
            throw new DataException(NothingLeft(stream.Report));
        }

        var report = stream.Report.Complete(inputs.Files.Count, training.Tokens, heldOut.Tokens, TokensOfLanguages());
        return (new PreparedIndex
        {
            VocabularySize = _tokenizer.VocabularySize,
            EndOfText = _tokenizer.EndOfText,
            TokenBits = Bits,
            Documents = read.Documents,
            Duplicates = read.Duplicates,
            Training = new SideIndex(training.Tokens, training.Shards),
            HeldOut = new SideIndex(heldOut.Tokens, heldOut.Shards),
            HeldOutRule = journal.Rule!,
            Inputs = inputs,
            Filtered = filter is null ? null : read.Filtered,
            ReportSha256 = Convert.ToHexStringLower(SHA256.HashData(report.Serialize())),
        }, report);
    }

    private DocumentStream Stream() => new(inputs, filter, options.BatchBytes);

    private string NothingLeft(ReportBuilder report)
    {
        if (report.Read.Documents == 0)
        {
            return $"the sources hold no text: no file, or only empty ones. Check {options.SourcesName}.";
        }

        var rules = report.Complete(inputs.Files.Count, 0, 0, null).LeftOut.Where(rule => rule.Documents > 0).Select(rule => $"{rule.Documents} by {rule.Rule} ({rule.Setting})");
        return $"the filter leaves out all {report.Read.Documents} documents: {string.Join(", ", rules)}. Loosen these rules, or name other sources.";
    }

    private Dictionary<string, long>? TokensOfLanguages()
    {
        var sum = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var shard in journal.Shards)
        {
            if (shard.Languages is null)
            {
                return null;
            }

            foreach (var (name, tokens) in shard.Languages)
            {
                sum[name] = sum.GetValueOrDefault(name) + tokens;
            }
        }

        return sum;
    }

    /// <summary>Shards that no line of the journal names; and one that it names must be there.</summary>
    private void RemoveUnfinished()
    {
        var finished = journal.Shards.ToDictionary(shard => shard.Shard.File, shard => shard.Shard.Bytes, StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(options.Output, "*.tokens*").Where(path => !finished.ContainsKey(Path.GetFileName(path))))
        {
            File.Delete(path);
        }

        foreach (var (name, bytes) in finished)
        {
            var file = new FileInfo(Path.Combine(options.Output, name));
            if (!file.Exists || file.Length != bytes)
            {
                throw new DataException($"{file.FullName} {(file.Exists ? $"has {file.Length} bytes" : "is missing")}; the journal says it was finished with {bytes}. Begin anew with --restart.");
            }
        }
    }
}

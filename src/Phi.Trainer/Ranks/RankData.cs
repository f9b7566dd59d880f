using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Collectives;
using Phi.Data;
using Phi.Data.Preparation;
using Phi.Data.Quality;
using Phi.Data.Shards;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;
using Phi.Training.Data;

namespace Phi.Trainer.Ranks;

/// <summary>What the job trains on: a prepared folder as it is, or anything else prepared into this node's cache.</summary>
internal sealed class RankData : IDisposable
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);
    private readonly PreparedFolder _folder;

    private RankData(PreparedFolder folder, int vocabularySize, TokenDataset? heldOut)
    {
        (_folder, VocabularySize, HeldOut) = (folder, vocabularySize, heldOut);
        Training = new TokenDataset(folder.Training);
    }

    public TokenizerFiles Tokenizer => _folder.Tokenizer;

    /// <summary>Of the tokens to train on; see <see cref="SideIndex.Digest"/>.</summary>
    public string Digest => _folder.Index.Training.Digest;

    /// <summary>The model's: its own, or the tokenizer's where the job gives none.</summary>
    public int VocabularySize { get; }

    public TokenDataset Training { get; }

    /// <summary>Null if nothing is held out, or less than one window.</summary>
    public TokenDataset? HeldOut { get; }

    /// <exception cref="DataException">The sources cannot be read, or do not fit the model or the tokenizer.</exception>
    public static async Task<RankData> OpenAsync(PhiSpec phi, string cache, Action<string> log, CancellationToken cancellationToken)
    {
        var (data, window) = (phi.Data!, phi.Model!.SequenceLength!.Value + 1);
        var folder = await OpenFolderAsync(data, window, cache, log, cancellationToken);
        try
        {
            var tokens = folder.Index.VocabularySize;
            if (phi.Model.VocabularySize is { } vocabulary && vocabulary < tokens)
            {
                throw new DataException($"spec.phi.model.vocabularySize is {vocabulary}, and the tokenizer ({folder.Tokenizer.Kind}) has {tokens} tokens. Write at least {tokens}.");
            }

            var heldOut = folder.HeldOut.Length >= window ? new TokenDataset(folder.HeldOut) : null;
            if (heldOut is null && (folder.HeldOut.Length > 0 || data.HeldOutFraction > 0))
            {
                log($"The held-out data have {folder.HeldOut.Length} tokens, and one window is {window}: their loss is not measured. Hold out more, or lower sequenceLength.");
            }

            return new RankData(folder, phi.Model.VocabularySize ?? tokens, heldOut);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Makes sure that every rank of the group has the same data. Collective.</summary>
    /// <exception cref="DataException">Another rank's are others, on every rank.</exception>
    public void Compare(ICommunicator group)
    {
        var mine = Digest + _folder.Index.HeldOut.Digest;
        var digests = group.Gather(mine, mine.Length);
        if (Array.FindIndex(digests, digest => digest != digests[0]) is > 0 and var other)
        {
            throw new DataException($"data.sources are not the same on every node: ranks 0 and {other} prepared data of the digests {digests[0][..16]} and {digests[other][..16]}. Put the same files on each node, or name one prepared folder that all of them see.");
        }
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<PreparedFolder> OpenFolderAsync(DataSpec data, int window, string cache, Action<string> log, CancellationToken cancellationToken)
    {
        var sources = data.Sources!;
        var tokenizer = Files(data.Tokenizer);
        if (sources.Find(PreparedFolder.IsOne) is not { } prepared)
        {
            var fraction = data.HeldOutFraction!.Value;
            var options = new PrepareOptions
            {
                Sources = sources,
                Output = cache,
                Tokenizer = tokenizer ?? TokenizerFiles.Bytes,
                HeldOutFraction = fraction,
                LeastHeldOut = fraction > 0 ? window : 0,
                Filter = Filter(data.Filter),
            };
            return await DataCache.OpenAsync(options, new Log(log), cancellationToken);
        }

        if (sources.Count > 1)
        {
            throw new DataException($"data.sources '{prepared}' is prepared data, which is used alone. Remove the other sources, or prepare all of them together with phi data prepare.");
        }

        if (Filter(data.Filter) != new FilterOptions())
        {
            throw new DataException($"data.filter has rules, and data.sources '{prepared}' is prepared data, out of which nothing can be left any more. Leave data.filter out, or prepare the data anew with these rules (phi data prepare).");
        }

        var folder = PreparedFolder.Open(prepared);
        if (tokenizer is not null && tokenizer.Digest != folder.Tokenizer.Digest)
        {
            folder.Dispose();
            throw new DataException($"data.tokenizer is {tokenizer.Kind}, and '{prepared}' was prepared with {(tokenizer.Kind == folder.Tokenizer.Kind ? "other files of that kind" : folder.Tokenizer.Kind)}. Leave data.tokenizer out to use the folder's, or prepare the data anew.");
        }

        return folder;
    }

    private static TokenizerFiles? Files(TokenizerSpec? spec) => spec switch
    {
        null => null,
        { Codegen: { } codegen } => TokenizerFiles.FromFiles(TokenizerFiles.CodegenKind, codegen.Vocabulary!, codegen.Merges!),
        { Bpe: { } bpe } => TokenizerFiles.FromFiles(TokenizerFiles.BpeKind, bpe.Vocabulary!, bpe.Merges!),
        _ => TokenizerFiles.Bytes,
    };

    private static FilterOptions Filter(DataFilterSpec? spec) => spec is null ? new FilterOptions() : new FilterOptions
    {
        OnlyText = spec.OnlyText ?? false,
        MinBytes = spec.MinBytes,
        MaxBytes = spec.MaxBytes,
        MaxLineLength = spec.MaxLineLength,
        MaxMeanLineLength = spec.MaxMeanLineLength,
        MinAlphanumeric = spec.MinAlphanumeric,
        MinComments = spec.MinComments,
        MaxComments = spec.MaxComments,
        PythonParses = spec.PythonParses ?? false,
        Model = spec.Classifier?.Model,
        Threshold = spec.Classifier?.Threshold,
        NearDuplicates = spec.NearDuplicates,
    };

    /// <summary>A line now and then: only what takes long is worth one.</summary>
    private sealed class Log(Action<string> write) : IProgress<PrepareProgress>
    {
        private long _last = TimeProvider.System.GetTimestamp();

        public void Report(PrepareProgress value)
        {
            if (TimeProvider.System.GetElapsedTime(_last) >= LogInterval)
            {
                _last = TimeProvider.System.GetTimestamp();
                var leftOut = value.Filtered > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({value.Filtered} left out)") : "";
                write(string.Create(CultureInfo.InvariantCulture, $"preparing data: {value.Documents} documents{leftOut}, {value.Tokens} tokens, {value.Bytes / 1e6:0} MB"));
            }
        }
    }
}

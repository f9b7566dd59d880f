using System.Text.Json;
using Phi.Data.Quality;
using Phi.Data.Shards;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>
/// Makes a folder of token shards from text. Killed at any time and run again it goes on from the last finished shard, and the
/// folder is the same, byte for byte, as without the interruption. The README beside has the format.
/// </summary>
public static class DataPreparation
{
    /// <summary>A folder that is finished already is left as it is.</summary>
    /// <param name="progress">Hears of each batch, on the thread that writes it.</param>
    /// <exception cref="DataException">A source cannot be read, or the folder is of another preparation.</exception>
    public static async Task<PreparedIndex> RunAsync(PrepareOptions options, IProgress<PrepareProgress>? progress, CancellationToken cancellationToken)
    {
        using var filter = await QualityFilter.OpenAsync(options.Filter, cancellationToken);
        return await RunAsync(options, filter, progress, cancellationToken);
    }

    /// <param name="filter">The options', opened.</param>
    internal static async Task<PreparedIndex> RunAsync(PrepareOptions options, QualityFilter? filter, IProgress<PrepareProgress>? progress, CancellationToken cancellationToken)
    {
        var inputs = Inputs(options, filter);
        CheckForeign(options.Output);
        Directory.CreateDirectory(options.Output);
        using var held = await FolderLock.TakeAsync(options.Output, options.WaitForOthers, cancellationToken);
        if (options.Restart)
        {
            Clear(options.Output);
        }

        if (PreparedFolder.TryReadIndex(options.Output) is { } finished)
        {
            CheckSame(finished.Inputs, inputs, options.Output);
            PrepareJournal.Delete(options.Output);
            return finished;
        }

        PreparedIndex index;
        PrepareReport report;
        using (var journal = PrepareJournal.Open(options.Output))
        {
            if (journal.Inputs is null)
            {
                journal.Add(inputs);
            }

            CheckSame(journal.Inputs!, inputs, options.Output);
            options.Tokenizer.Write(options.Output);
            (index, report) = await new PreparationRun(options, inputs, filter, journal, progress).RunAsync(cancellationToken);
        }

        Write(options.Output, PrepareReport.FileName, report.Serialize());
        Write(options.Output, PreparedIndex.FileName, JsonSerializer.SerializeToUtf8Bytes(index, PreparedIndex.Json));
        PrepareJournal.Delete(options.Output);
        return index;
    }

    /// <exception cref="DataException">An option is out of its range, or a source names nothing.</exception>
    internal static PreparedInputs Inputs(PrepareOptions options, QualityFilter? filter)
    {
        if (options.HeldOutFraction is not (>= 0 and <= 0.5))
        {
            throw new DataException(FormattableString.Invariant($"the held-out fraction is {options.HeldOutFraction}; it must be from 0 to 0.5. Hold out at most half."));
        }

        if (options.ShardTokens < 1)
        {
            throw new DataException($"a shard has {options.ShardTokens} tokens; it must have at least 1. Leave it out for {PrepareOptions.DefaultShardTokens}.");
        }

        var inside = Path.GetFullPath(options.Output).TrimEnd('/') + "/";
        return new PreparedInputs
        {
            TokenizerKind = options.Tokenizer.Kind,
            TokenizerDigest = options.Tokenizer.Digest,
            TextField = options.TextField,
            HeldOutFraction = options.HeldOutFraction,
            LeastHeldOut = options.LeastHeldOut,
            ShardTokens = options.ShardTokens,
            Sources = options.Sources,
            Filter = filter?.Inputs,
            // An output within a source is not its own input.
            Files = [.. DataSources.Resolve(options.Sources, options.SourcesName).Where(path => !path.StartsWith(inside, StringComparison.Ordinal)).Select(SourceFile.Of)],
        };
    }

    private static void CheckSame(PreparedInputs before, PreparedInputs now, string folder)
    {
        if (before.Difference(now) is { } difference)
        {
            throw new DataException($"{folder} was begun with other inputs: {difference}. Name another folder, or begin anew with --restart.");
        }
    }

    /// <summary>Nobody's files are written among, or removed.</summary>
    private static void CheckForeign(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(Path.Combine(folder, FolderLock.FileName)) && !PreparedFolder.IsOne(folder))
        {
            throw new DataException($"{folder} holds other files and no prepared data. Name a new or empty folder.");
        }
    }

    private static void Clear(string folder)
    {
        // The index goes first: without it nothing else counts.
        File.Delete(Path.Combine(folder, PreparedIndex.FileName));
        PrepareJournal.Delete(folder);
        foreach (var file in TokenizerFiles.Names.Append(PrepareReport.FileName).Select(name => Path.Combine(folder, name)).Concat(Directory.EnumerateFiles(folder, "*.tokens*")))
        {
            File.Delete(file);
        }
    }

    private static void Write(string folder, string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        using (var stream = File.Create(path + ".tmp"))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }
}

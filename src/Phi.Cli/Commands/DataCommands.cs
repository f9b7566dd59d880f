using System.CommandLine;
using System.Globalization;
using Phi.Cli.Output;
using Phi.Data;
using Phi.Data.Preparation;
using Phi.Data.Shards;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;

namespace Phi.Cli.Commands;

/// <summary><c>phi data</c>: text into shards of tokens, tokenizers, and the check of both.</summary>
internal static class DataCommands
{
    public static Command Create() => new("data", "Prepare text for training.") { Prepare(), TrainTokenizer(), Verify() };

    private static Command Prepare()
    {
        var sources = Sources();
        var tokenizer = new Option<string>("--tokenizer") { Description = "bytes, codegen:DIR or bpe:DIR; DIR holds vocab.json and merges.txt. Default bytes.", DefaultValueFactory = _ => TokenizerFiles.BytesKind };
        var field = TextField();
        var heldOut = new Option<double>("--held-out") { Description = "Share of the documents that is never trained on, 0 to 0.5. Default 0.001.", DefaultValueFactory = _ => PrepareOptions.DefaultHeldOutFraction };
        var leastHeldOut = new Option<long>("--held-out-tokens") { Description = "Least tokens to hold out: one window, for which documents are held out in parts if need be. Default 2049.", DefaultValueFactory = _ => PrepareOptions.DefaultLeastHeldOut };
        var shardTokens = new Option<long>("--shard-tokens") { Description = "Tokens of a shard file. Default 67108864.", DefaultValueFactory = _ => PrepareOptions.DefaultShardTokens };
        var output = Output("Folder for the prepared data. The same command continues one that was interrupted.");
        var restart = new Option<bool>("--restart") { Description = "Begin anew, removing what an earlier run left in the folder." };
        var command = new Command("prepare", "Pack text, JSON Lines and Parquet into shards of tokens.") { sources, tokenizer, field, heldOut, leastHeldOut, shardTokens, output, restart };
        command.SetAction((parse, cancellationToken) => GuardedAsync(async () =>
        {
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var progress = new DataProgress(TimeProvider.System);
            try
            {
                await DataPreparation.RunAsync(
                    new PrepareOptions
                    {
                        Sources = Absolute(parse.GetRequiredValue(sources)),
                        SourcesName = sources.Name,
                        Output = folder,
                        Tokenizer = TokenizerFiles.Parse(parse.GetRequiredValue(tokenizer)),
                        TextField = parse.GetRequiredValue(field),
                        HeldOutFraction = parse.GetValue(heldOut),
                        LeastHeldOut = parse.GetValue(leastHeldOut),
                        ShardTokens = parse.GetValue(shardTokens),
                        Restart = parse.GetValue(restart),
                    },
                    progress,
                    cancellationToken);
            }
            catch (OperationCanceledException)
            {
                progress.End();
                await Console.Error.WriteLineAsync("Interrupted. The same command continues.");
                throw;
            }

            progress.End();
            using var prepared = PreparedFolder.Open(folder);
            Print(folder, prepared.Index);
        }));
        return command;
    }

    private static Command TrainTokenizer()
    {
        var sources = Sources();
        var field = TextField();
        var size = new Option<int>("--vocabulary-size") { Description = "Tokens, the 256 bytes and <|endoftext|> included.", Required = true };
        var output = Output("Folder for vocab.json and merges.txt.");
        var command = new Command("train-tokenizer", "Train a byte-level BPE tokenizer on text.") { sources, field, size, output };
        command.SetAction((parse, cancellationToken) => GuardedAsync(async () =>
        {
            var (folder, wanted) = (Path.GetFullPath(parse.GetRequiredValue(output)), parse.GetValue(size));
            if (File.Exists(Path.Combine(folder, "vocab.json")))
            {
                throw new DataException($"{folder} holds a tokenizer already. Name another folder.");
            }

            var progress = new DataProgress(TimeProvider.System);
            var (trainer, documents) = (new BpeTrainer(), 0L);
            foreach (var file in DataSources.Resolve(Absolute(parse.GetRequiredValue(sources)), sources.Name))
            {
                await foreach (var document in DocumentReader.ReadAsync(file, parse.GetRequiredValue(field), cancellationToken))
                {
                    trainer.Add(document);
                    progress.Reading(++documents, trainer.Bytes);
                }
            }

            var tokens = trainer.Write(wanted, folder, done => progress.Merging(done, wanted), cancellationToken);
            progress.End();
            var few = tokens < wanted ? $" ({wanted} were asked for; no more pairs occur twice in the text)" : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{folder}: {tokens} tokens{few} from {documents} documents of {trainer.Bytes / 1e6:0.0} MB"));
        }));
        return command;
    }

    private static Command Verify()
    {
        var folder = new Argument<string>("folder") { Description = "A folder that phi data prepare made." };
        var command = new Command("verify", "Check every file of prepared data against the index.") { folder };
        command.SetAction((parse, cancellationToken) => GuardedAsync(async () =>
        {
            var path = Path.GetFullPath(parse.GetRequiredValue(folder));
            Print(path, await PreparedFolder.VerifyAsync(path, cancellationToken));
        }));
        return command;
    }

    private static async Task<int> GuardedAsync(Func<Task> action)
    {
        try
        {
            await action();
            return ExitCodes.Succeeded;
        }
        catch (DataException e)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The output: what is wrong with a source is said above.
            throw new CliException($"{e.Message} Name a folder that can be written to, with space enough.", ExitCodes.Error);
        }
    }

    private static Option<string[]> Sources() => new("--sources")
    {
        Description = "Files, folders and globs with * and **. .jsonl, .ndjson, .json.gz and .parquet hold many documents; any other file is one.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static Option<string> TextField() => new("--text-field") { Description = "Field of JSON lines, or column of Parquet files, with the text. Default text.", DefaultValueFactory = _ => "text" };

    private static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true };

    private static string[] Absolute(string[] sources) => Array.ConvertAll(sources, source => source.Contains("://", StringComparison.Ordinal) ? source : Path.GetFullPath(source));

    private static void Print(string folder, PreparedIndex index)
    {
        var invariant = CultureInfo.InvariantCulture;
        Console.WriteLine($"folder:     {folder}");
        Console.WriteLine(string.Create(invariant, $"documents:  {index.Documents}, and {index.Duplicates} duplicates left out"));
        Console.WriteLine(string.Create(invariant, $"training:   {index.Training.Tokens} tokens in {Shards(index.Training)}"));
        Console.WriteLine(string.Create(invariant, $"held out:   {index.HeldOut.Tokens} tokens in {Shards(index.HeldOut)}"));
        Console.WriteLine(string.Create(invariant, $"tokenizer:  {index.Inputs.TokenizerKind}, {index.VocabularySize} tokens"));

        static string Shards(SideIndex side) => string.Create(CultureInfo.InvariantCulture, $"{side.Shards.Count} {(side.Shards.Count == 1 ? "shard" : "shards")}");
    }
}

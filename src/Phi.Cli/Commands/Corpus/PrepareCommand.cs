using System.CommandLine;
using Phi.Cli.Corpora;
using Phi.Cli.Output;
using Phi.Data.Preparation;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Cli.Commands.Corpus;

/// <summary><c>phi data prepare</c>.</summary>
internal static class PrepareCommand
{
    public static Command Create()
    {
        var sources = CorpusOptions.Sources();
        var tokenizer = new Option<string>("--tokenizer") { Description = "bytes, codegen:DIR or bpe:DIR; DIR holds vocab.json and merges.txt. Default bytes.", DefaultValueFactory = _ => TokenizerFiles.BytesKind };
        var field = CorpusOptions.TextField();
        var heldOut = new Option<double>("--held-out") { Description = "Share of the documents that is never trained on, 0 to 0.5. Default 0.001.", DefaultValueFactory = _ => PrepareOptions.DefaultHeldOutFraction };
        var leastHeldOut = new Option<long>("--held-out-tokens") { Description = "Least tokens to hold out: one window, for which documents are held out in parts if need be. Default 2049.", DefaultValueFactory = _ => PrepareOptions.DefaultLeastHeldOut };
        var shardTokens = new Option<long>("--shard-tokens") { Description = "Tokens of a shard file. Default 67108864.", DefaultValueFactory = _ => PrepareOptions.DefaultShardTokens };
        var output = CorpusOptions.Output("Folder for the prepared data. The same command continues one that was interrupted.");
        var restart = new Option<bool>("--restart") { Description = "Begin anew, removing what an earlier run left in the folder." };
        var quality = new QualityOptions();
        var command = new Command("prepare", "Pack text, JSON Lines and Parquet into shards of tokens.") { sources, tokenizer, field, heldOut, leastHeldOut, shardTokens, output, restart };
        quality.AddTo(command);
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(async () =>
        {
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var progress = new DataProgress(TimeProvider.System);
            try
            {
                await DataPreparation.RunAsync(
                    new PrepareOptions
                    {
                        Sources = CorpusOptions.Absolute(parse.GetRequiredValue(sources)),
                        SourcesName = sources.Name,
                        Output = folder,
                        Tokenizer = TokenizerFiles.Parse(parse.GetRequiredValue(tokenizer)),
                        TextField = parse.GetRequiredValue(field),
                        HeldOutFraction = parse.GetValue(heldOut),
                        LeastHeldOut = parse.GetValue(leastHeldOut),
                        ShardTokens = parse.GetValue(shardTokens),
                        Filter = quality.Read(parse),
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
            CorpusText.Write(CorpusReport.Of(folder, prepared.Index), Console.Out);
        }));
        return command;
    }
}

using System.CommandLine;
using System.Globalization;
using Phi.Cli.Output;
using Phi.Data;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;

namespace Phi.Cli.Commands.Corpus;

/// <summary><c>phi data train-tokenizer</c>.</summary>
internal static class TrainTokenizerCommand
{
    public static Command Create()
    {
        var sources = CorpusOptions.Sources();
        var field = CorpusOptions.TextField();
        var size = new Option<int>("--vocabulary-size") { Description = "Tokens, the 256 bytes and <|endoftext|> included.", Required = true };
        var output = CorpusOptions.Output("Folder for vocab.json and merges.txt.");
        var command = new Command("train-tokenizer", "Train a byte-level BPE tokenizer on text.") { sources, field, size, output };
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(async () =>
        {
            var (folder, wanted) = (Path.GetFullPath(parse.GetRequiredValue(output)), parse.GetValue(size));
            if (File.Exists(Path.Combine(folder, "vocab.json")))
            {
                throw new DataException($"{folder} holds a tokenizer already. Name another folder.");
            }

            var progress = new DataProgress(TimeProvider.System);
            var (trainer, documents) = (new BpeTrainer(), 0L);
            foreach (var file in DataSources.Resolve(CorpusOptions.Absolute(parse.GetRequiredValue(sources)), sources.Name))
            {
                await foreach (var document in DocumentReader.ReadAsync(file, parse.GetRequiredValue(field), cancellationToken))
                {
                    trainer.Add(document.Content);
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
}

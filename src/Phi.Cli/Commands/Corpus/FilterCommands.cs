using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Cli.Output;
using Phi.Data.Quality.Classifier;
using Phi.Data.Sources;

namespace Phi.Cli.Commands.Corpus;

/// <summary><c>phi data train-filter</c> and <c>phi data filter</c>: a classifier of good and bad documents.</summary>
internal static class FilterCommands
{
    public static Command Train()
    {
        var labels = new Option<string>("--labels") { Description = "File of labels, as phi data label makes it.", Required = true };
        var seed = CorpusOptions.Seed("Chooses the labels that the model is measured on.");
        var heldOut = new Option<double>("--held-out") { Description = "Share of the labels to measure on, above 0 and at most 0.5; fewer than 200 labels are cross-validated instead. Default 0.2.", DefaultValueFactory = _ => QualityTrainer.DefaultHeldOutFraction };
        var output = CorpusOptions.Output("File for the model.");
        var command = new Command("train-filter", "Train a classifier of good and bad documents on labels, and say how often it is right.") { labels, seed, heldOut, output };
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(() =>
        {
            var (path, to) = (parse.GetRequiredValue(labels), Path.GetFullPath(parse.GetRequiredValue(output)));
            var (model, training) = QualityTrainer.Train(LabelSheet.Read(path).Documents, path, parse.GetValue(seed), parse.GetValue(heldOut), cancellationToken);
            QualityModel.Write(to, model);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"model:      {to}, {model.Length / 1e3:0} kB"));
            CorpusText.Write(training, Console.Out);
            return Task.CompletedTask;
        }));
        command.WithExamples("phi data train-filter --labels labels.jsonl --output filter.json");
        return command;
    }

    public static Command Filter()
    {
        var (sources, field, output) = (CorpusOptions.Sources(), CorpusOptions.TextField(), OutputFormat.Report());
        var model = new Option<string>("--model") { Description = "A model of phi data train-filter.", Required = true };
        var threshold = new Option<double>("--threshold") { Description = "Least score of a document that is kept, 0 to 1. Default 0.5.", DefaultValueFactory = _ => QualityModel.DefaultThreshold };
        var scores = new Option<string?>("--scores") { Description = "File for a JSON line of each document: name, score, isKept." };
        var command = new Command("filter", "Try a classifier on sources: tell what share it would leave out. phi data prepare --filter applies it.") { sources, model, threshold, field, scores, output };
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(async () =>
        {
            var files = DataSources.Resolve(CorpusOptions.Absolute(parse.GetRequiredValue(sources)), sources.Name);
            await using var lines = parse.GetValue(scores) is { } path ? File.CreateText(path) : null;
            var opened = QualityModel.Read(parse.GetRequiredValue(model));
            var report = await ScoreReport.OfAsync(opened, parse.GetValue(threshold), files, parse.GetRequiredValue(field), one => lines?.WriteLine(JsonSerializer.Serialize(one, PhiJson.Options)), cancellationToken);
            OutputFormat.Print(report, parse.GetValue(output), CorpusText.Write);
        }));
        command.WithExamples("phi data filter --sources src --model filter.json --threshold 0.7");
        return command;
    }
}

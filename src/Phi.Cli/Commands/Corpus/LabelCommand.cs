using System.CommandLine;
using System.Globalization;
using Phi.Cli.Corpora;
using Phi.Data;
using Phi.Data.Quality.Classifier;
using Phi.Data.Sources;

namespace Phi.Cli.Commands.Corpus;

/// <summary><c>phi data label</c>.</summary>
internal static class LabelCommand
{
    /// <summary>As many as a session shows unless a sheet has some already.</summary>
    private const int Usual = 300;

    public static Command Create()
    {
        var (sources, field, seed) = (CorpusOptions.Sources(), CorpusOptions.TextField(), CorpusOptions.Seed("Chooses the documents."));
        sources.Required = false;
        var sample = new Option<int?>("--sample") { Description = "Write this many unlabelled documents to the file and ask nothing: label them elsewhere." };
        var labels = new Option<string?>("--labels") { Description = "Take over the labels of this file and ask nothing." };
        var output = CorpusOptions.Output("File of labels: JSON lines of id, name, label (good, bad, skip or null) and text. One that is there is continued.");
        var command = new Command("label", "Show documents one by one and note which are good: g good, b bad, s skip, u undo, m more, q quit. The same command continues.") { sources, field, seed, sample, labels, output };
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(async () =>
        {
            var path = Path.GetFullPath(parse.GetRequiredValue(output));
            var sheet = File.Exists(path) ? LabelSheet.Read(path) : new LabelSheet();
            var (named, count, import) = (parse.GetValue(sources) ?? [], parse.GetValue(sample), parse.GetValue(labels));
            if (named.Length == 0 && import is null && !sheet.Documents.Any(one => one.Label is null))
            {
                throw new DataException($"there is nothing to label: no --sources, and {path} has no unlabelled document. Name sources, or labels to take over (--labels).");
            }

            if (named.Length > 0 && (count is not null || import is null && sheet.Documents.Count == 0))
            {
                var files = DataSources.Resolve(CorpusOptions.Absolute(named), sources.Name);
                await SampleAsync(sheet, path, new LabelSampler(parse.GetValue(seed)), files, parse.GetRequiredValue(field), count ?? Usual, cancellationToken);
            }
            else if (count is not null)
            {
                throw new DataException("--sample draws documents from --sources, and none are named. Add them, or leave --sample out.");
            }

            if (import is not null)
            {
                var taken = sheet.Import(LabelSheet.Read(import), import);
                sheet.Save(path);
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{taken} labels taken over from {import}"));
            }

            if (import is null && count is null)
            {
                await new LabelSession(sheet, path, Console.Out).RunAsync(LabelSession.KeyAsync, cancellationToken);
            }

            Console.WriteLine($"{path}: {Counts(sheet)}");
        }));
        command.WithExamples("phi data label --sources src --output labels.jsonl", "phi data label --sources src --sample 200 --output labels.jsonl", "phi data label --labels theirs.jsonl --output labels.jsonl");
        return command;
    }

    private static async Task SampleAsync(LabelSheet sheet, string path, LabelSampler sampler, IReadOnlyList<string> files, string field, int count, CancellationToken cancellationToken)
    {
        var added = await sampler.AddAsync(sheet, files, field, count, cancellationToken);
        if (added == 0 && sheet.Documents.Count == 0)
        {
            throw new DataException($"of the {sampler.Read} documents of the sources {sampler.NoText} are no text, and none is left to label. Check --sources and --text-field.");
        }

        sheet.Save(path);
        var noText = sampler.NoText > 0 ? string.Create(CultureInfo.InvariantCulture, $", {sampler.NoText} of which are no text") : "";
        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{added} documents added to the file, out of {sampler.Read}{noText}"));
    }

    private static string Counts(LabelSheet sheet)
    {
        int Of(string? label) => sheet.Documents.Count(one => one.Label == label);
        return string.Create(CultureInfo.InvariantCulture, $"{Of(LabelledDocument.Good)} good, {Of(LabelledDocument.Bad)} bad, {Of(LabelledDocument.Skip)} skipped, {Of(null)} not labelled");
    }
}

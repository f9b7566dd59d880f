using System.CommandLine;
using Phi.Cli.Corpora;
using Phi.Cli.Output;
using Phi.Data.Shards;

namespace Phi.Cli.Commands.Corpus;

/// <summary><c>phi data report</c> and <c>phi data verify</c>.</summary>
internal static class ReportCommands
{
    public static Command Report()
    {
        var (folder, output) = (Folder(), OutputFormat.Report());
        var command = new Command("report", "Tell what prepared data hold, by language and licence, and what each rule left out.") { folder, output };
        command.SetAction(parse => CorpusOptions.GuardedAsync(() =>
        {
            var path = Path.GetFullPath(parse.GetRequiredValue(folder));
            using var prepared = PreparedFolder.Open(path);
            // A folder of an earlier version has no report, which is an error here and nowhere else.
            _ = prepared.Index.ReportSha256 is null ? Phi.Data.Quality.PrepareReport.Open(path) : null;
            OutputFormat.Print(CorpusReport.Of(path, prepared.Index), parse.GetValue(output), CorpusText.WriteWhole);
            return Task.CompletedTask;
        }));
        return command;
    }

    public static Command Verify()
    {
        var (folder, output) = (Folder(), OutputFormat.Report());
        var command = new Command("verify", "Check every file of prepared data against the index.") { folder, output };
        command.SetAction((parse, cancellationToken) => CorpusOptions.GuardedAsync(async () =>
        {
            var path = Path.GetFullPath(parse.GetRequiredValue(folder));
            OutputFormat.Print(CorpusReport.Of(path, await PreparedFolder.VerifyAsync(path, cancellationToken)), parse.GetValue(output), CorpusText.Write);
        }));
        return command;
    }

    private static Argument<string> Folder() => new("folder") { Description = "A folder that phi data prepare made." };
}

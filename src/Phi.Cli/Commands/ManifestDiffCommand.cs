using System.CommandLine;
using Phi.Cli.Completion;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Submission;

namespace Phi.Cli.Commands;

/// <summary><c>phi diff MANIFEST</c>: what <c>phi submit</c> would change.</summary>
internal static class ManifestDiffCommand
{
    public static Command Create()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob; - for standard input." }.Completing(CompletionKind.File);
        var (options, output) = (new ClusterOptions(), OutputFormat.Report());
        var command = new Command("diff", "Say field by field what phi submit would change on the server, its defaults included. Ends with 0: nothing, 1: something; errors have other codes.") { manifest, output };
        options.AddTo(command);
        command.WithExamples("phi diff job.yaml", "phi diff job.yaml -o json");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var submission = new JobSubmission(session, ManifestFile.Read(parse.GetRequiredValue(manifest), session.Namespace).In(options.Namespace(parse)));
            var live = await submission.LiveAsync(ct);
            var changes = ObjectDifference.Of(live, await WantedAsync(submission, ct));
            OutputFormat.Print(changes, parse.GetValue(output), (all, to) => Write(submission.Job, live is null, all, to));
            return changes.Count == 0 ? ExitCodes.Succeeded : ExitCodes.Different;
        }));
        return command;
    }

    /// <summary>A conflict does not hide the difference: it is a part of it.</summary>
    private static async Task<System.Text.Json.Nodes.JsonObject> WantedAsync(JobSubmission submission, CancellationToken ct)
    {
        try
        {
            return await submission.TryAsync(isForced: false, ct);
        }
        catch (SubmissionConflictException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return await submission.TryAsync(isForced: true, ct);
        }
    }

    private static void Write(JobName job, bool isNew, IReadOnlyList<FieldChange> changes, TextWriter to)
    {
        if (changes.Count == 0)
        {
            return;
        }

        to.WriteLine(isNew ? $"{job} would be created:" : $"{job} would change:");
        foreach (var change in changes)
        {
            to.WriteLine((change.Before, change.After) switch
            {
                (null, var after) => $"+ {change.Path}: {after!.ToJsonString()}",
                (var before, null) => $"- {change.Path}: {before.ToJsonString()}",
                var (before, after) => $"~ {change.Path}: {before.ToJsonString()} -> {after.ToJsonString()}",
            });
        }
    }
}

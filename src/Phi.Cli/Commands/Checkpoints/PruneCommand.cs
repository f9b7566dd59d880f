using System.CommandLine;
using Phi.Api.Metadata;
using Phi.Checkpoints.Retention;
using Phi.Cli.Checkpoints;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint prune</c>.</summary>
internal static class PruneCommand
{
    public static Command Create()
    {
        var (location, options) = (CheckpointOptions.Location(what: "Where the checkpoints are"), new CheckpointOptions());
        var keepLast = new Option<int>("--keep-last") { Description = "Newest checkpoints to keep.", Required = true };
        CheckpointOptions.Limit(keepLast, 1);
        var keepEvery = new Option<long?>("--keep-every") { Description = "Keep those of every multiple of so many steps as well." };
        CheckpointOptions.Limit(keepEvery, 1);
        var grace = new Option<string>("--orphan-grace") { Description = "How long what was never committed stays, such as 1h.", DefaultValueFactory = _ => "1h" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would go, and why the rest stays." };
        var command = new Command("prune", "Remove checkpoints that a policy does not keep, and what was never committed; never the newest, a pinned one or one in use.") { location, keepLast, keepEvery, grace, dryRun };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            if (!KubernetesDuration.TryParse(parse.GetValue(grace), out var orphanGrace))
            {
                throw new CliException($"--orphan-grace '{parse.GetValue(grace)}' is no duration; write it like 30m or 1h30m", ExitCodes.Usage);
            }

            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            if (source.Step is not null)
            {
                throw new CliException($"'{source.Name}' names one step; name the place that holds the checkpoints, such as {source.Root}", ExitCodes.Usage);
            }

            var policy = new RetentionPolicy { KeepLast = parse.GetValue(keepLast), KeepEvery = parse.GetValue(keepEvery), OrphanGrace = orphanGrace };
            using var store = source.Open();
            var decisions = await CheckpointWork.RunAsync("removed", true, (_, _) => parse.GetValue(dryRun) ? new StoreRetention(store).Plan(policy) : new StoreRetention(store).Apply(policy), cancellationToken);
            CheckpointWork.Print(new PruneReport(source.Root, parse.GetValue(dryRun), decisions.Where(one => one.IsRemoved).Sum(one => one.Bytes), decisions), options.IsJson(parse), CheckpointText.Write);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

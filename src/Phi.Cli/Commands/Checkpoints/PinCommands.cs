using System.CommandLine;
using Phi.Checkpoints.Retention;
using Phi.Cli.Checkpoints;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary><c>phi checkpoint pin</c> and <c>unpin</c>.</summary>
internal static class PinCommands
{
    public static Command Pin()
    {
        var (location, options) = (CheckpointOptions.Location(), new CheckpointOptions());
        var why = new Option<string?>("--why") { Description = "Why it is kept, for others to read." };
        var command = new Command("pin", "Keep a checkpoint, whatever the job's retention says; without a step, the newest.") { location, why };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            using var store = source.Open();
            var pin = new CheckpointPin(CheckpointWork.Me, TimeProvider.System.GetUtcNow(), parse.GetValue(why));
            var step = await CheckpointWork.RunAsync("pinned", true, (_, _) =>
            {
                var step = source.Manifest(store, CheckpointWork.Warn).Step;
                new StoreRetention(store).Pin(step, pin);
                return step;
            }, cancellationToken);
            CheckpointWork.Print(new { Location = source.Root, Step = step, Pin = pin }, options.IsJson(parse), (_, to) => to.WriteLine($"step {step} of {source.Root} is pinned; phi checkpoint unpin frees it"));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    public static Command Unpin()
    {
        var (location, options) = (CheckpointOptions.Location(), new CheckpointOptions());
        var command = new Command("unpin", "Leave a pinned checkpoint to the job's retention again.") { location };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var source = await CheckpointSource.ResolveAsync(parse.GetRequiredValue(location), () => options.Open(parse), cancellationToken);
            var step = source.Step ?? throw new CliException($"'{source.Name}' names no step; name the pinned checkpoint, such as {(source.Name.StartsWith("job/", StringComparison.Ordinal) ? $"{source.Name}@300" : $"{source.Root}/step-00000300")}. phi checkpoint ls lists them", ExitCodes.Usage);
            using var store = source.Open();
            var wasPinned = await CheckpointWork.RunAsync("unpinned", true, (_, _) => new StoreRetention(store).Unpin(step), cancellationToken);
            CheckpointWork.Print(new { Location = source.Root, Step = step, WasPinned = wasPinned }, options.IsJson(parse), (_, to) => to.WriteLine(wasPinned ? $"step {step} of {source.Root} is no longer pinned" : $"step {step} of {source.Root} was not pinned"));
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

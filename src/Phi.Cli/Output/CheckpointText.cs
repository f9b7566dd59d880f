using System.Globalization;
using Phi.Checkpoints.Comparison;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Transfer;
using Phi.Cli.Checkpoints;

namespace Phi.Cli.Output;

/// <summary>Reports on checkpoints for people.</summary>
internal static class CheckpointText
{
    public static Listing<ListedCheckpoint> Listing(CheckpointListing listing) => new()
    {
        Columns =
        [
            new("STEP", one => Text($"{one.Step}")),
            new("TIME", one => Text($"{one.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z")),
            new("SIZE", one => Size(one.Bytes)),
            new("RANKS", one => Text($"{one.Ranks}")),
            new("ATTEMPT", one => Text($"{one.Attempt}")),
            new("STATE", one => one.State.ToString()),
            new("RUN", one => one.RunId ?? TextTable.Nothing, IsWide: true),
            new("NOTES", Notes),
        ],
        Name = one => CheckpointName(listing.Location, one.Step),
        Data = _ => OutputFormat.Node(listing),
        WhenEmpty = $"{listing.Location} holds no checkpoint",
    };

    private static string CheckpointName(string root, long step) => Text($"{root.TrimEnd('/')}/step-{step:00000000}");

    public static void Write(VerifyReport report, TextWriter to)
    {
        foreach (var one in report.Checkpoints)
        {
            to.WriteLine(one.Problem is null ? Text($"step {one.Step}: good ({one.Shards} shards, {Size(one.Bytes)})") : Text($"step {one.Step}: DAMAGED: {one.Problem}"));
        }
    }

    public static void Write(PruneReport report, TextWriter to)
    {
        TextTable.Write(
            [
                ["STEP", "WHAT", "SIZE", report.IsDryRun ? "WOULD" : "DONE", "WHY"],
                .. report.Decisions.Select(one => new[] { Text($"{one.Step}"), one.Kind.ToString(), Size(one.Bytes), one.IsRemoved ? report.IsDryRun ? "go" : "removed" : report.IsDryRun ? "stay" : "kept", one.Message }),
            ], to);
        to.WriteLine($"{Size(report.BytesRemoved)} {(report.IsDryRun ? "would be" : "are")} free");
    }

    public static void Write(CopySummary summary, TextWriter to) => to.WriteLine(summary.Files == 0
        ? $"{summary.To} is there already, the same as {summary.From}"
        : $"Committed {summary.To}: {summary.Files} files, {Size(summary.BytesCopied)} of {Size(summary.Bytes)} copied");

    public static void Write(ExportSummary summary, TextWriter to) =>
        to.WriteLine($"Step {summary.Step} is in {summary.Output}: {summary.Parameters:N0} parameters in {summary.Tensors} tensors of {summary.Type}, {string.Join(", ", summary.Files)}");

    public static void Write(ImportSummary summary, TextWriter to) =>
        to.WriteLine($"Committed {summary.Checkpoint}: {summary.Parameters:N0} parameters in {summary.Shards} shards. A job starts from it with spec.phi:\n  seed: {summary.Seed}\n  model: {{{string.Join(", ", summary.Model.Select(pair => $"{pair.Key}: {pair.Value}"))}}}");

    /// <summary>Tensors that are equal bit for bit are counted, not listed.</summary>
    public static void Write(CheckpointDifference difference, TextWriter to)
    {
        foreach (var field in difference.Fields)
        {
            to.WriteLine($"{field.Field}: {field.First ?? "-"} | {field.Second ?? "-"}");
        }

        foreach (var (which, names) in new[] { (difference.First, difference.OnlyInFirst), (difference.Second, difference.OnlyInSecond) })
        {
            if (names.Count > 0)
            {
                to.WriteLine($"only in {which}: {string.Join(", ", names)}");
            }
        }

        var differing = difference.Tensors.Where(tensor => !tensor.IsEqual).ToList();
        if (differing.Count > 0)
        {
            TextTable.Write(
                [
                    ["TENSOR", "STATE", "SHAPE", "DIFFERING", "NOT FINITE", "MAX ABSOLUTE", "MEAN ABSOLUTE"],
                    .. differing.Select(tensor => new[] { tensor.Tensor, tensor.Kind, $"[{string.Join(", ", tensor.Shape)}]", Text($"{tensor.Differing}"), Text($"{tensor.NotFinite}"), Text($"{tensor.MaxAbsolute:G4}"), Text($"{tensor.MeanAbsolute:G4}") }),
                ], to);
        }

        foreach (var kind in ShardLayout.Kinds)
        {
            var all = difference.Tensors.Where(tensor => tensor.Kind == kind).ToList();
            to.WriteLine($"{kind}: {all.Count(tensor => tensor.IsEqual)} of {all.Count} tensors are equal bit for bit");
        }
    }

    private static string Notes(ListedCheckpoint one)
    {
        List<string> notes = [];
        if (one.Pin is { } pin)
        {
            notes.Add($"pinned by {pin.Who}{(pin.Why is { Length: > 0 } why ? $": {why}" : "")}");
        }

        notes.AddRange(one.Uses.Select(use => $"used by {use.Who}: {use.Purpose}"));
        if (one.Problem is { } problem)
        {
            notes.Add(problem);
        }
        else if (one.State == StepState.Uncommitted)
        {
            notes.Add("being saved, or never committed");
        }

        return string.Join("; ", notes);
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1_000_000 => Text($"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => Text($"{bytes / 1e6:0.0} MB"),
        _ => Text($"{bytes / 1e9:0.00} GB"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

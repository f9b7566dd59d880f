using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Cli.Output;
using Phi.Cli.Queues;

namespace Phi.Cli.Description;

/// <summary>A job in words and tables, a block for each question that people have of it.</summary>
internal static class JobDescription
{
    private const int LabelWidth = 16;

    public static void Write(DescribedJob described, DateTimeOffset now, TextWriter to)
    {
        var (job, status) = (described.Job, described.Job.Status ?? new TrainingJobStatus());
        Identity(job, now, to);
        Asked(job, to);
        State(described, now, to);
        Table(to, "Conditions", ["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"], (status.Conditions ?? []).Select(one => new[] { one.Type, one.Status, Ago(one.LastTransitionTime, now), one.Reason, one.Message }));
        Attempts(status, now, to);
        Checkpoints(job, status, now, to);
        Evaluation(status, now, to);
        Goodput(status, to);
        Table(to, "Placement", ["POD", "NODE", "DOMAIN"], (status.Placement ?? []).Select(one => new[] { one.Pod ?? "", one.Node ?? TextTable.Nothing, one.Domain ?? TextTable.Nothing }));
        Table(to, "Nodes kept away from", ["NODE", "REASON", "SINCE"], (status.ExcludedNodes ?? []).Select(one => new[] { one.Node ?? "", one.Reason ?? "", Ago(one.Since, now) }));
        Table(to, "Events", ["TYPE", "REASON", "AGE", "COUNT", "MESSAGE"], described.Events.Select(one => new[] { one.Type, one.Reason, Ago(one.Last, now), Text($"{one.Count}"), one.Message }));
    }

    private static void Identity(TrainingJob job, DateTimeOffset now, TextWriter to)
    {
        Row(to, "Name", job.Metadata.Name);
        Row(to, "Namespace", job.Metadata.Namespace);
        Row(to, "UID", job.Metadata.Uid);
        Row(to, "Created", $"{Text($"{job.Metadata.CreationTimestamp?.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z")} ({Ago(job.Metadata.CreationTimestamp, now)} ago)");
        Row(to, "Labels", Pairs(job.Metadata.Labels));
        Row(to, "Annotations", Pairs(job.Metadata.Annotations?.Where(pair => !pair.Key.StartsWith("kubectl.kubernetes.io/", StringComparison.Ordinal))));
    }

    private static void Asked(TrainingJob job, TextWriter to)
    {
        var spec = job.Spec;
        Row(to, "Queue", spec.Queue);
        Row(to, "Priority class", spec.PriorityClassName);
        Row(to, "Gang", Text($"{spec.Replicas ?? 1} pods × {spec.Accelerator?.PerReplica ?? 8} {spec.Accelerator?.Type ?? "cpu"}{(spec.MinReplicas is { } least ? $", at least {least} pods" : "")}"));
        Row(to, "Topology", spec.Topology is { } topology ? topology.Require is { } must ? $"one {must}" : $"one {topology.Prefer} if possible" : null);
        if (spec.Phi is { } phi)
        {
            Row(to, "Trains", Text($"{phi.Model?.Preset ?? "a model of its own sizes"}, {phi.Steps} steps, seed {phi.Seed ?? 1}, {phi.Precision ?? "fp32"}, ZeRO stage {spec.Zero?.Stage ?? 3}"));
            Row(to, "Data", phi.Data?.Sources is { } sources ? string.Join(", ", sources) : null);
            Row(to, "Begins with", phi.Initialize?.From is { } from ? from.Job is { } other ? $"job {other}" : "a checkpoint of another place" : null);
        }

        if (spec.Container is { } container)
        {
            Row(to, "Runs", $"{container.Image} {string.Join(' ', [.. container.Command ?? [], .. container.Args ?? []])}".TrimEnd());
        }

        Row(to, "Checkpoint", Text($"every {spec.Checkpoint?.EverySteps ?? 500} steps{(spec.Checkpoint?.EveryMinutes is { } minutes ? $" or {minutes} minutes" : "")}, the newest {spec.Checkpoint?.KeepLast ?? 3} kept"));
        Row(to, "Restarts", Text($"at most {spec.Recovery?.MaxRestarts ?? 3} charged"));
    }

    private static void State(DescribedJob described, DateTimeOffset now, TextWriter to)
    {
        var status = described.Job.Status;
        to.WriteLine();
        Row(to, "State", described.Job.Spec.Suspend == true && status?.Phase != TrainingPhase.Suspended ? $"{status?.Phase ?? TrainingPhase.Pending} (asked to suspend)" : status?.Phase ?? TrainingPhase.Pending);
        Row(to, "Ready", status?.Ready);
        if (status?.Progress is { } progress)
        {
            Row(to, "Step", Text($"{progress.Step}{(progress.TotalSteps is { } total ? $" of {total}" : "")}"));
            Row(to, "Loss", progress.Loss is { } loss ? Text($"{loss:0.0000}{(progress.FirstLoss is { } first ? $", at first {first:0.0000}" : "")}") : null);
            Row(to, "Tokens", progress.Tokens is { } tokens ? Text($"{tokens:N0}{(progress.TokensPerSecond is { } rate ? $", {rate:0}/s" : "")}{(progress.Mfu is { } mfu ? $", MFU {mfu:P1}" : "")}") : null);
            Row(to, "Left", status.CompletionTime is null && progress.EstimatedCompletion is { } end && end > now ? TextTable.Span(end - now) : null);
        }

        if (described.Why is not { } why)
        {
            Row(to, "Waits for", "unknown: the queues may not be read by this user");
            return;
        }

        Row(to, "Reason", why.Reason);
        Row(to, "", why.Message);
        Row(to, "Queue position", why.Position is { } position ? Text($"{position}") : null);
        Row(to, "Waits for", why.WaitsFor);
    }

    private static void Attempts(TrainingJobStatus status, DateTimeOffset now, TextWriter to)
    {
        if (status.Attempt is > 0)
        {
            to.WriteLine();
            Row(to, "Attempt", Text($"{status.Attempt}: {status.Restarts ?? 0} charged restarts, {status.FreeRestarts ?? 0} free ones"));
        }

        Table(to, "Interruptions", ["ATTEMPT", "AGE", "REASON", "CHARGED", "STEP", "GOES ON FROM", "LOST STEPS", "MESSAGE"], (status.Interruptions ?? []).Select(one => new[]
        {
            Text($"{one.Attempt}"), Ago(one.Time, now), one.Reason ?? "", one.Charged == true ? "yes" : "no", TextTable.Cell($"{one.Step}"), TextTable.Cell($"{one.ResumeStep}"), TextTable.Cell($"{one.LostSteps}"), one.Message ?? "",
        }));
    }

    private static void Checkpoints(TrainingJob job, TrainingJobStatus status, DateTimeOffset now, TextWriter to)
    {
        if (status.Checkpoint is not { } checkpoint)
        {
            return;
        }

        to.WriteLine();
        Row(to, "Newest saved", checkpoint.Step is { } step ? Text($"step {step}, {Ago(checkpoint.Time, now)} ago, {checkpoint.Count} in all") : "none");
        Row(to, "Where", checkpoint.Uri);
        Row(to, "Missed", checkpoint.Missed is { } missed ? Text($"step {missed.Step}: {missed.Reason}: {missed.Message}") : null);
        Row(to, "Skipped", checkpoint.Skipped is { } skipped ? Text($"step {skipped.Step}: {skipped.Reason}: {skipped.Message}") : null);
        Row(to, "", checkpoint.Uri is null || job.Spec.Phi is null ? null : $"phi checkpoint ls job/{job.Metadata.Name} -n {job.Metadata.Namespace} lists them");
    }

    private static void Evaluation(TrainingJobStatus status, DateTimeOffset now, TextWriter to)
    {
        if (status.Evaluation is not { } evaluation)
        {
            return;
        }

        to.WriteLine();
        Row(to, "Evaluated", Text($"step {evaluation.Step}, {Ago(evaluation.Time, now)} ago"));
        foreach (var score in evaluation.Scores ?? [])
        {
            Row(to, "", Text($"{score.Suite}: {score.Problems} problems, {(score.PassAt1 is { } share ? Text($"pass@1 {share:0.000}") : "no pass@1")}"));
        }

        Row(to, "Not evaluated", evaluation.NotEvaluated);
    }

    private static void Goodput(TrainingJobStatus status, TextWriter to)
    {
        if (status.Goodput is not { } goodput)
        {
            return;
        }

        to.WriteLine();
        Row(to, "Goodput", Text($"{goodput.Ratio:P1}, {goodput.ProductiveSeconds:0} s productive"));
        Row(to, "Lost", string.Join(", ", (goodput.LostSeconds ?? []).Where(pair => pair.Value >= 0.5).OrderByDescending(pair => pair.Value).Select(pair => Text($"{pair.Key} {pair.Value:0} s"))));
    }

    private static void Table(TextWriter to, string title, string[] header, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            return;
        }

        to.WriteLine();
        to.WriteLine($"{title}:");
        using var lines = new StringReader(Render([header, .. all]));
        while (lines.ReadLine() is { } line)
        {
            to.WriteLine($"  {line}");
        }
    }

    private static string Render(IReadOnlyList<string[]> cells)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        // Last columns are messages; a line of theirs stays a line of the table.
        TextTable.Write([.. cells.Select(row => Array.ConvertAll(row, cell => cell.ReplaceLineEndings(" ")))], text);
        return text.ToString();
    }

    private static void Row(TextWriter to, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            to.WriteLine($"{(name.Length > 0 ? name + ":" : "").PadRight(LabelWidth)}{value}");
        }
    }

    private static string? Pairs(IEnumerable<KeyValuePair<string, string>>? pairs) => pairs is null ? null : string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}"));

    private static string Ago(DateTimeOffset? time, DateTimeOffset now) => time is { } at ? TextTable.Span(now - at) : TextTable.Nothing;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

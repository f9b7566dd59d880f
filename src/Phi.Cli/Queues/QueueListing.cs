using System.Globalization;
using Phi.Api.Metadata;
using Phi.Cli.Output;
using Phi.Cli.Resources;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>One line of <c>phi queue ls</c>: a queue's accelerators of one type; one that has no quota has a line all the same.</summary>
/// <param name="Usage">Null: it has no quota.</param>
internal sealed record QueueLine(QueuePolicy Queue, QueueUsage? Usage, int Admitted, int Pending);

/// <summary>Queues with what the operator would decide now.</summary>
internal static class QueueListing
{
    public static IReadOnlyList<QueueLine> Lines(QueueState state) =>
    [
        .. state.Snapshot.Queues.SelectMany(queue => state.Decision.Usage.Where(usage => usage.Queue == queue.Name).DefaultIfEmpty(null)
            .Select(usage => new QueueLine(queue, usage, state.Decision.AdmittedJobs(queue.Name), state.Decision.PendingJobs(queue.Name)))),
    ];

    public static Listing<QueueLine> Of(QueueState state) => new()
    {
        Columns =
        [
            new("QUEUE", line => line.Queue.Name),
            new("ADMITTED", line => Text(line.Admitted)),
            new("PENDING", line => Text(line.Pending)),
            new("TYPE", line => line.Usage?.AcceleratorType ?? TextTable.Nothing),
            new("NOMINAL", line => Text(line.Usage?.Nominal)),
            new("USED", line => Text(line.Usage?.Used)),
            new("BORROWED", line => Text(line.Usage?.Borrowed)),
            new("LENT", line => Text(line.Usage?.Lent)),
            new("RESERVED", line => Text(line.Usage?.Reserved)),
            new("COHORT", line => line.Queue.Cohort ?? TextTable.Nothing),
            new("ORDER", line => $"{line.Queue.Order}", IsWide: true),
            new("PROBLEM", line => line.Queue.Problem ?? TextTable.Nothing),
        ],
        Name = line => ResourceKind.Queue.Prefix + line.Queue.Name,
        Data = _ => OutputFormat.Node(state.Snapshot.Queues.Select(queue => new
        {
            queue.Name,
            queue.Cohort,
            queue.Order,
            queue.Problem,
            AdmittedJobs = state.Decision.AdmittedJobs(queue.Name),
            PendingJobs = state.Decision.PendingJobs(queue.Name),
            Usage = state.Decision.Usage.Where(usage => usage.Queue == queue.Name),
        })),
        WhenEmpty = "There is no queue; a job without spec.queue needs none.",
    };

    private static string Text(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? TextTable.Nothing;
}

using System.Globalization;
using Phi.Cli.Output;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>Reports on queues for people.</summary>
internal static class QueueText
{
    public static void Write(WhyReport report, TextWriter to)
    {
        Row(to, "job", report.Job);
        Row(to, "state", report.State);
        Row(to, "queue", report.Queue);
        Row(to, "position", report.Position?.ToString(CultureInfo.InvariantCulture));
        Row(to, "reason", report.Reason);
        Row(to, "", report.Message);
        Row(to, "waits for", report.WaitsFor);
        Row(to, "last end", report.LastInterruption);
        Write(report.Usage, to);
    }

    public static void Write(WhatIfReport report, TextWriter to)
    {
        Row(to, "job", report.Job);
        Row(to, "outcome", report.Outcome);
        Row(to, "", report.Message);
        Row(to, "position", report.Position?.ToString(CultureInfo.InvariantCulture));
        Row(to, "waits for", report.WaitsFor);
        foreach (var eviction in report.Evictions)
        {
            Row(to, "evicts", $"{eviction.Job} ({eviction.Accelerators} accelerators, {eviction.Reason})");
        }
    }

    /// <summary>One line for each queue and accelerator type.</summary>
    public static void Write(IEnumerable<QueueUsage> usage, TextWriter to)
    {
        var rows = usage.ToList();
        if (rows.Count == 0)
        {
            return;
        }

        string[][] cells =
        [
            ["QUEUE", "COHORT", "TYPE", "NOMINAL", "USED", "BORROWED", "LENT", "RESERVED"],
            .. rows.Select(row => new[] { row.Queue, row.Cohort ?? "-", row.AcceleratorType, Text(row.Nominal), Text(row.Used), Text(row.Borrowed), Text(row.Lent), Text(row.Reserved) }),
        ];
        TextTable.Write(cells, to);
        static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
    }

    private static void Row(TextWriter to, string name, string? value)
    {
        if (value is not null)
        {
            to.WriteLine($"{(name.Length > 0 ? name + ":" : ""),-13}{value}");
        }
    }
}

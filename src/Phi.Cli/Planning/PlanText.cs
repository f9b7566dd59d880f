using System.Globalization;
using Phi.Cli.Output;
using Phi.Planning.Goodput;
using Phi.Planning.Reports;
using Phi.Planning.Simulation;

namespace Phi.Cli.Planning;

/// <summary>Plans for people.</summary>
internal static class PlanText
{
    private const double Gibi = 1L << 30;
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static void Write(TrainingPlan plan, TextWriter to)
    {
        Head(plan, to);
        Memory(plan, to);
        Traffic(plan, to);
        if (plan.Techniques.Count > 0)
        {
            Section(to, plan.Nodes > 1 ? "ZeRO++ in this job" : "ZeRO++ in this job (one node: nothing crosses the network)");
            Table(to, plan.Techniques);
        }

        if (plan.Memory?.Fits == false)
        {
            Section(to, plan.Remedies.Count > 0 ? "It does not fit. What would" : "It does not fit, and no single change of micro-batch, activation checkpointing, stage or replicas makes it fit");
            Table(to, plan.Remedies);
        }

        Scaling(plan.Simulation, to);
        Goodput(plan.Goodput, to);
        Section(to, "Assumed");
        foreach (var assumption in plan.Assumptions)
        {
            to.WriteLine($"  {assumption}");
        }
    }

    public static void Write(PlanComparison comparison, TextWriter to)
    {
        to.WriteLine(comparison.Job);
        Table(to, comparison.Alternatives);
    }

    private static void Head(TrainingPlan plan, TextWriter to)
    {
        to.WriteLine(Text($"{plan.Job}: {plan.Accelerators} × {plan.Accelerator} on {Nodes(plan.Nodes)}"));
        if (plan.Parameters is { } parameters)
        {
            to.WriteLine(Text($"  {parameters / 1e9:0.###} billion parameters, {plan.Steps:N0} steps of {plan.TokensPerStep:N0} tokens: {plan.TotalTokens / 1e9:0.###} billion"));
        }

        if (plan.Step is { } step)
        {
            to.WriteLine(Text($"  {Span(plan.TrainingSeconds!.Value)}, {plan.AcceleratorHours:#,0.##} accelerator-hours; a step {step.Seconds:0.###} s, {step.TokensPerSecond:#,0} tokens/s, MFU {step.Mfu:P1}"));
            to.WriteLine(Text($"  of a step: {step.Passes} passes, compute {step.ComputeSeconds:0.###} s, waiting for others and the network {step.ExposedSeconds:0.###} s ({step.HiddenShare:P0} of the communication is hidden)"));
        }
        else if (plan.AcceleratorHours is { } hours)
        {
            to.WriteLine(Text($"  at most {hours:#,0.##} accelerator-hours (activeDeadlineSeconds)"));
        }

        if (plan.Checkpoint is { } checkpoint)
        {
            to.WriteLine(Text($"  a checkpoint: {Bytes(checkpoint.Bytes)}, every {checkpoint.EverySteps:N0} steps; training stands still {checkpoint.StallSeconds:0.###} s, written after {checkpoint.WriteSeconds:0.#} s; {checkpoint.Kept} kept, {Bytes(checkpoint.KeptBytes)}"));
        }
    }

    private static void Memory(TrainingPlan plan, TextWriter to)
    {
        if (plan.Memory is not { } memory)
        {
            return;
        }

        var verdict = memory switch
        {
            { Fits: true } => Text($" of {Gibibytes(memory.CapacityBytes!.Value)}: it fits"),
            { Fits: false } => Text($" of {Gibibytes(memory.CapacityBytes!.Value)}: IT DOES NOT FIT"),
            _ => "",
        };
        Section(to, Text($"Memory of a rank: {Gibibytes(memory.TotalBytes)}{verdict}"));
        Rows(to, [["PART", "GIB", "WHAT"], .. memory.Parts.Select(part => new[] { part.Name, Text($"{part.Bytes / Gibi:0.00}"), part.What })]);
    }

    private static void Traffic(TrainingPlan plan, TextWriter to)
    {
        if (plan.Traffic is not { Collectives.Count: > 0 } traffic)
        {
            return;
        }

        Section(to, "Traffic of a step, all ranks");
        Rows(to, [["COLLECTIVE", "WITHIN NODES", "ACROSS NODES"], .. traffic.Collectives.Select(one => new[] { one.Collective, Bytes(one.WithinNodes), Bytes(one.AcrossNodes) })]);
    }

    private static void Scaling(SimulationFigures? simulation, TextWriter to)
    {
        if (simulation is null)
        {
            return;
        }

        Section(to, Text($"On up to {Nodes(simulation.Nodes)}, {simulation.Accelerators} accelerators; the global batch stays (strong scaling)"));
        Points(to, simulation.Strong);
        Section(to, "The same with a global batch that grows with the nodes (weak scaling)");
        Points(to, simulation.Weak);
    }

    private static void Points(TextWriter to, IReadOnlyList<ScalingPoint> points) => Rows(to,
    [
        ["NODES", "ACCELERATORS", "GLOBAL", "MICRO", "STEP", "TOKENS/S", "MFU", "WAITING", "EFFICIENCY"],
        .. points.Select(point => new[]
        {
            Text($"{point.Nodes}"), Text($"{point.Accelerators}"), Text($"{point.GlobalBatch}"), Text($"{point.MicroBatch}"), Text($"{point.StepSeconds:0.###} s"), Text($"{point.TokensPerSecond:#,0}"),
            Text($"{point.Mfu:P1}"), Text($"{point.ExposedSeconds:0.###} s"), Text($"{point.Efficiency:P1}"),
        }),
    ]);

    private static void Goodput(GoodputFigures? goodput, TextWriter to)
    {
        if (goodput is null)
        {
            return;
        }

        Section(to, Text($"With a failure of the job every {goodput.MeanTimeBetweenFailuresHours:0.##} hours, {goodput.RestartSeconds:0} s to come back"));
        Rows(to,
        [
            ["CHECKPOINT EVERY", "GOODPUT", "RUN", "FAILURES", ""],
            .. goodput.Curve.Select(point => new[] { Text($"{point.EverySteps:N0} steps"), Text($"{point.Goodput:P2}"), Span(point.Seconds), Text($"{point.Failures:0.0}"), Mark(point, goodput) }),
        ]);
    }

    private static string Mark(GoodputPoint point, GoodputFigures goodput) =>
        (point == goodput.Best, point == goodput.Planned) switch
        {
            (true, true) => "best, and the job's",
            (true, _) => "best: checkpoint.everySteps",
            (_, true) => "the job's",
            _ => "",
        };

    private static void Table(TextWriter to, IReadOnlyList<Alternative> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var first = rows[0].StepSeconds;
        Rows(to,
        [
            ["WITH", "STEP", "SPEED", "ACCELERATOR-HOURS", "ACROSS NODES", "WITHIN NODES", "MEMORY", "FITS"],
            .. rows.Select(row => new[]
            {
                row.Name, Text($"{row.StepSeconds:0.###} s"), Text($"{first / row.StepSeconds:0.00}×"), Text($"{row.AcceleratorHours:#,0.##}"), Bytes(row.AcrossNodesBytes), Bytes(row.WithinNodesBytes),
                Gibibytes(row.MemoryBytes), row.Fits switch { true => "yes", false => "NO", _ => TextTable.Nothing },
            }),
        ]);
    }

    private static void Section(TextWriter to, string title)
    {
        to.WriteLine();
        to.WriteLine(title);
    }

    private static void Rows(TextWriter to, IReadOnlyList<string[]> rows)
    {
        var widths = TextTable.Widths(rows);
        foreach (var row in rows)
        {
            to.WriteLine("  " + TextTable.Line(row, widths));
        }
    }

    private static string Nodes(int count) => count == 1 ? "1 node" : Text($"{count} nodes");

    private static string Gibibytes(long bytes) => Text($"{bytes / Gibi:0.0} GiB");

    private static string Bytes(double bytes) => bytes switch
    {
        0 => TextTable.Nothing,
        >= 1e12 => Text($"{bytes / 1e12:0.00} TB"),
        >= 1e9 => Text($"{bytes / 1e9:0.00} GB"),
        _ => Text($"{bytes / 1e6:0.00} MB"),
    };

    private static string Span(double seconds) => seconds switch
    {
        < 120 => Text($"{seconds:0.#} s"),
        < 2 * 3600 => Text($"{seconds / 60:0.0} minutes"),
        < 2 * 86400 => Text($"{seconds / 3600:0.0} hours"),
        _ => Text($"{seconds / 86400:0.00} days"),
    };

    private static string Text(FormattableString text) => text.ToString(Invariant);
}

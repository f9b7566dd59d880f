using CsCheck;
using Phi.Api.TrainingJobs;
using Xunit;

namespace Phi.Reconcile.Tests.Life;

/// <summary>Whole lives of jobs of every kind, whatever happens to them.</summary>
public sealed class LifePropertyTests
{
    /// <summary>Longer than all backoffs and exclusions that so few happenings can add up to.</summary>
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromMinutes(30);

    /// <summary>At least; CsCheck_Iter may ask for more.</summary>
    private const int Lives = 5000;

    [Fact]
    public void Decide_AnyLifeOfAnyJob_KeepsTheLawsAndTrainsOnceAllIsWell() =>
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Select(Gen.Int[0, Happenings.Count - 1], Gen.Int[0, 99]).Array[0, 40]).Sample(
            (isQueued, isElastic, isContainer, happenings) => Live(new World(isQueued, isElastic, isContainer), happenings),
            iter: Math.Max(Lives, Check.Iter),
            print: life => $"queued {life.Item1}, elastic {life.Item2}, container {life.Item3}: {string.Join("; ", life.Item4.Select(happening => $"{Happenings.Name(happening.Item1)} ({happening.Item1}, {happening.Item2})"))}");

    private static void Live(World world, (int What, int Choice)[] happenings)
    {
        try
        {
            LiveThrough(world, happenings);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{world}", e);
        }
    }

    private static void LiveThrough(World world, (int What, int Choice)[] happenings)
    {
        React(world);
        foreach (var (what, choice) in happenings)
        {
            world.Journal.Add($"at {world.Now - Jobs.Start}: {Happenings.Name(what)} ({choice})");
            Happenings.Happen(world, what, choice);
            React(world);
        }

        Happenings.Heal(world);
        React(world);
        var healed = world.Now;
        while (!IsWell(world))
        {
            Assert.True(world.Now - healed < LongestRecovery, $"{LongestRecovery} after all was well: {JobReconciler.Decide(world.Look()).Message}");
            Happenings.Live(world);
            React(world);
            Happenings.Tick(world, 5);
            React(world);
        }
    }

    /// <summary>The operator decides until nothing is left to do, if it would look at all.</summary>
    internal static void React(World world)
    {
        var reasons = new List<string>();
        while (world.IsDue)
        {
            var before = world.Look();
            var decision = JobReconciler.Decide(before);
            reasons.Add(decision.Reason);
            world.Journal.Add($"  {decision.Reason}: {decision.Message} [{decision.Status?.Phase}, attempt {decision.Status?.Attempt}, {decision.Actions.Length} actions]");
            Assert.True(reasons.Count < 25, $"still acting: {string.Join(", ", reasons)}");
            var isNews = world.Execute(decision);
            LifeLaws.Check(before, decision, world);
            if (!isNews)
            {
                LifeLaws.CheckSettled(world);
                return;
            }
        }
    }

    private static bool IsWell(World world) => world.IsFinished
        || (world.Status.Phase == TrainingPhase.Running && JobReconciler.Decide(world.Look()) is { Reason: "Training", Actions.IsEmpty: true } && world.Pods.TrueForAll(pod => pod is { IsDeleting: false, Phase: "Running" or "Succeeded" }));
}

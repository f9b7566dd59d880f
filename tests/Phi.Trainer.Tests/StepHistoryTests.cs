using System.Text;
using Phi.Api.Agent;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

public sealed class StepHistoryTests
{
    [Fact]
    public void Read_WhatWasWritten_IsTheStepsUpToTheCheckpoint()
    {
        var written = new StepHistory();
        for (var step = 1; step <= 5; step++)
        {
            written.Add(step < 3 ? 1 : 2, Step(step, step == 4 ? double.NaN : 2.5 / step));
        }

        var read = new StepHistory().Read(StepHistory.Write(written.Entries()), newest: 4);

        Assert.Equal([(1, 1), (1, 2), (2, 3), (2, 4)], read.Select(entry => (entry.Attempt, entry.Step.Step)));
        Assert.Equal(2.5 / 3, read[2].Step.Metrics["loss"]);
        Assert.Equal(double.NaN, read[3].Step.Metrics["loss"]);
    }

    [Fact]
    public void Read_BrokenLines_AreLeftOut()
    {
        var written = new StepHistory();
        written.Add(1, Step(1, 2));
        var lines = Encoding.UTF8.GetString(StepHistory.Write(written.Entries()));

        var read = new StepHistory().Read(Encoding.UTF8.GetBytes($"{{\"attempt\":\n{lines}nonsense\n{lines[..20]}"), newest: 10);

        Assert.Equal([1], read.Select(entry => entry.Step.Step));
    }

    [Fact]
    public void Add_ManySteps_KeepsTheNewest()
    {
        var history = new StepHistory();
        for (var step = 1; step <= 5000; step++)
        {
            history.Add(1, Step(step, 1));
        }

        var read = new StepHistory().Read(StepHistory.Write(history.Entries()), newest: 5000);

        Assert.Equal(5000, read[^1].Step.Step);
        Assert.InRange(read.Count, 1000, 3000);
    }

    private static StepEvent Step(long step, double loss) => new() { Rank = 0, Step = step, Time = DateTimeOffset.UnixEpoch, Metrics = new Dictionary<string, double> { ["loss"] = loss } };
}

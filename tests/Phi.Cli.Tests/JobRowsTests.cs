using Phi.Api.TrainingJobs;
using Phi.Cli.Jobs;

namespace Phi.Cli.Tests;

public sealed class JobRowsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_AJobThatTrains_HasItsFiguresAndWhatIsLeft()
    {
        var job = new TrainingJob
        {
            Metadata = new() { Namespace = "team", Name = "phi", Uid = "u", CreationTimestamp = Now.AddHours(-5) },
            Status = new()
            {
                Phase = TrainingPhase.Running, Ready = "4/4", Restarts = 1, FreeRestarts = 2, Goodput = new() { Ratio = 0.9 },
                Progress = new() { Step = 10, TotalSteps = 100, Loss = 2.5, TokensPerSecond = 1234.5, EstimatedCompletion = Now.AddDays(3) },
            },
        };

        var rows = JobRows.Of([job], Now, new Dictionary<string, string> { ["u"] = "█▁" });

        Assert.Equal("NAMESPACE NAME STATE READY STEP LOSS TOKENS/S RESTARTS GOODPUT LEFT AGE LOSS SO FAR", string.Join(' ', rows[0]));
        Assert.Equal(["team", "phi", "Running", "4/4", "10/100", "2.5000", "1235", "3", "90.0 %", "3d", "5h", "█▁"], rows[1]);
    }

    [Fact]
    public void Of_AJobThatNobodyHasSeen_IsPending() =>
        Assert.Equal(["team", "new", "Pending", "-", "-", "-", "-", "0", "-", "-", "-"], JobRows.Of([new TrainingJob { Metadata = new() { Namespace = "team", Name = "new" } }], Now, null)[1]);
}

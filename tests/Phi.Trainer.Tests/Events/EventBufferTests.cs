using Phi.Trainer.Agent.Events;

namespace Phi.Trainer.Tests.Events;

/// <summary>Events that wait: in which order they come, and which are given up when there is no room.</summary>
public sealed class EventBufferTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi buffer ").FullName;
    private readonly List<string> _log = [];

    private string Spool => Path.Combine(_folder, "spool");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Next_SpilledInBetween_HasTheDiskBeforeTheMemoryAndAllInOrder()
    {
        using var buffer = Open(new EventOptions());
        AddSteps(buffer, 1, 3);
        var inFlight = buffer.Next(2)!;
        buffer.Spill();
        AddSteps(buffer, 4, 2);

        // Taken from memory and sent meanwhile: it is on disk, so it comes again.
        buffer.Remove(inFlight);

        Assert.Equal(["step 1 of 0", "step 2 of 0", "step 3 of 0", "step 4 of 0", "step 5 of 0"], Drain(buffer));
        Assert.Equal((0, false), (buffer.Count, buffer.IsOnDisk));
        Assert.Empty(Directory.GetFiles(Spool));
        Assert.Contains("the events that waited are all sent", _log);
    }

    [Fact]
    public void Next_TwiceWithoutRemoving_IsTheSame()
    {
        using var buffer = Open(new EventOptions());
        AddSteps(buffer, 1, 3);
        buffer.Spill();

        Assert.Same(buffer.Next(100), buffer.Next(100));
    }

    [Fact]
    public void Spill_DiskAtItsBound_GivesUpOtherRanksThenRank0AndNothingElse()
    {
        const int Bound = 20_000;
        using var buffer = Open(new EventOptions { DiskBytes = Bound });
        for (var step = 1; step <= 300; step++)
        {
            buffer.Add(1, TestEvents.Step(step));
            buffer.Add(1, TestEvents.Step(step, rank: 1));
            if (step % 10 == 0)
            {
                buffer.Add(1, TestEvents.Saved(step));
                buffer.Add(1, TestEvents.Missed(step));
                buffer.Spill();
            }
        }

        var events = Drain(buffer);

        var (rank0, rank1) = (Steps(events, 0), Steps(events, 1));
        Assert.Equal(Enumerable.Range(1, rank0), Enumerable.Range(1, 300).Where(step => events.Contains($"step {step} of 0")));
        Assert.Equal(Enumerable.Range(1, rank1), Enumerable.Range(1, 300).Where(step => events.Contains($"step {step} of 1")));
        Assert.InRange(rank0, rank1 + 1, 299);
        Assert.Equal(30, events.Count(text => text.StartsWith("saved", StringComparison.Ordinal)));
        Assert.Equal(30, events.Count(text => text.StartsWith("missed", StringComparison.Ordinal)));
        Assert.Single(_log, line => line.Contains("steps are given up", StringComparison.Ordinal));
        Assert.Contains($"the events that waited are all sent; {600 - rank0 - rank1} events were given up meanwhile", _log);
    }

    [Fact]
    public void Spill_DiskThatCannotBeWritten_KeepsABoundedNumberInMemoryAndSaysSoOnce()
    {
        File.WriteAllText(Spool, "a file, where the folder would be");
        using var buffer = Open(new EventOptions { MemoryEvents = 10 });
        for (var step = 1; step <= 20; step++)
        {
            buffer.Add(1, TestEvents.Step(step, rank: 1));
            buffer.Add(1, TestEvents.Step(step));
            buffer.Spill();
        }

        buffer.Add(1, TestEvents.Saved(20));

        Assert.Equal(11, buffer.Count);
        Assert.Single(_log, line => line.Contains("cannot be written", StringComparison.Ordinal) && line.Contains("PHI_EVENT_FOLDER", StringComparison.Ordinal));
        Assert.Equal(["step 1 of 1", "step 1 of 0", "step 2 of 1", "step 2 of 0", "step 3 of 1", "step 3 of 0", "step 4 of 1", "step 4 of 0", "step 5 of 0", "step 6 of 0", "saved 20"], Drain(buffer));
    }

    [Fact]
    public void Spill_DiskThatCanBeWrittenAgain_TakesWhatIsInMemory()
    {
        File.WriteAllText(Spool, "a file, where the folder would be");
        using var buffer = Open(new EventOptions());
        AddSteps(buffer, 1, 3);
        buffer.Spill();
        Assert.Equal(3, buffer.Count);

        File.Delete(Spool);
        buffer.Spill();

        Assert.Equal((0, true), (buffer.Count, buffer.IsOnDisk));
        Assert.Equal(3, Drain(buffer).Count);
    }

    [Fact]
    public async Task WaitAsync_CompleteAndEmpty_IsFalse()
    {
        using var buffer = Open(new EventOptions());
        var waiting = buffer.WaitAsync(TestContext.Current.CancellationToken);
        AddSteps(buffer, 1, 1);

        Assert.True(await waiting);
        _ = Drain(buffer);
        buffer.Complete();
        Assert.False(await buffer.WaitAsync(TestContext.Current.CancellationToken));
    }

    private EventBuffer Open(EventOptions options) => new(new EventSpool(Spool, options.SegmentBytes, _log.Add), options, _log.Add);

    private static void AddSteps(EventBuffer buffer, int first, int count)
    {
        for (var step = first; step < first + count; step++)
        {
            buffer.Add(1, TestEvents.Step(step));
        }
    }

    private static int Steps(List<string> events, int rank) => events.Count(text => text.EndsWith($" of {rank}", StringComparison.Ordinal));

    private static List<string> Drain(EventBuffer buffer)
    {
        var events = new List<string>();
        while (buffer.Next(4) is { } chunk)
        {
            events.AddRange(chunk.Events.Select(TestEvents.Text));
            buffer.Remove(chunk);
        }

        return events;
    }
}

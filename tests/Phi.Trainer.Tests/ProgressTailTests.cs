using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Trainer.Progress;

namespace Phi.Trainer.Tests;

/// <summary>What a program does to its progress file, and what comes out at the other end.</summary>
public sealed class ProgressTailTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi progress ").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<StepEvent> _steps = [];
    private readonly List<CheckpointEvent> _checkpoints = [];
    private readonly List<string> _log = [];
    private bool _isAway;
    private ProgressTail _tail;

    public ProgressTailTests() => _tail = Start();

    private string Path => System.IO.Path.Combine(_folder, "progress.jsonl");

    private IEnumerable<long> Reported => _steps.Select(step => step.Step);

    public void Dispose()
    {
        _tail.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Look_LinesThatAreAppended_AreReportedOnceWithEveryNumber()
    {
        Assert.False(await _tail.LookAsync(false));
        Append("""{"step": 1, "loss": 2.5, "tokens": 4096, "accuracy": 0.5, "checkpoint": "/ckpt/1"}""" + "\n\r\n");
        await LookAsync();
        Append("{\"step\": 2, \"loss\": NaN}\r\n");
        await LookAsync();
        await LookAsync();

        Assert.Equal([1, 2], Reported);
        Assert.Equal((2.5, 4096, 0.5, 0), (_steps[0].Metrics["loss"], _steps[0].Metrics["tokens"], _steps[0].Metrics["accuracy"], _steps[0].Rank));
        Assert.True(double.IsNaN(_steps[1].Metrics["loss"]));
        Assert.Equal((1, "/ckpt/1"), (Assert.Single(_checkpoints).Step, _checkpoints[0].Uri));
        Assert.Empty(_log);
    }

    [Fact]
    public async Task Look_LastLineTorn_WaitsForItsEndOrTheProgramsEnd()
    {
        Append("{\"step\": 1}\n{\"st");
        await LookAsync();
        Assert.Equal([1], Reported);
        Append("ep\": 2}\n{\"step\": 3}");
        await LookAsync();
        Assert.Equal([1, 2], Reported);

        Assert.True(await _tail.LookAsync(true));
        Assert.False(await _tail.LookAsync(true));
        Assert.Equal([1, 2, 3], Reported);
    }

    [Fact]
    public async Task Look_LastLineCutByTheProgramsEnd_IsNamed()
    {
        Append("{\"step\": 1}\n{\"step\": 2, \"lo");
        await _tail.LookAsync(true);

        Assert.Equal([1], Reported);
        Assert.StartsWith("line 2 is skipped: its end is missing; ", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_FileRenamedAndBegunAnew_ReadsTheOldToItsEndAndThenTheNew()
    {
        Append(Lines(1, 3));
        await LookAsync();
        Append(Lines(4, 2) + "{\"step\": 6}");
        File.Move(Path, Path + ".1");
        Append(Lines(7, 90));
        await LookAsync();
        await LookAsync();

        Assert.Equal(Enumerable.Range(1, 96).Select(step => (long)step), Reported);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(90)]
    public async Task Look_FileCutShortAndWrittenAnew_ReadsItFromTheBegin(int lines)
    {
        Append(Lines(1, 10));
        await LookAsync();
        await File.WriteAllTextAsync(Path, Lines(11, lines), TestContext.Current.CancellationToken);
        await LookAsync();

        Assert.Equal(Enumerable.Range(1, 10 + lines).Select(step => (long)step), Reported);
    }

    [Fact]
    public async Task Look_FileReplacedByACopyOfItselfWithMore_GoesOnInIt()
    {
        Append(Lines(1, 10));
        await LookAsync();
        await File.WriteAllTextAsync(Path + ".new", Lines(1, 12), TestContext.Current.CancellationToken);
        File.Move(Path + ".new", Path, overwrite: true);
        await LookAsync();
        File.Delete(Path);
        await LookAsync();
        Append(Lines(13, 1));
        await LookAsync();

        Assert.Equal(Enumerable.Range(1, 13).Select(step => (long)step), Reported);
    }

    [Fact]
    public async Task Look_AfterARestart_GoesOnWhereTheLastOneWas()
    {
        Append(Lines(1, 10));
        await LookAsync();
        Restart();
        Append(Lines(11, 2));
        await LookAsync();
        Restart();
        Append(Lines(13, 1));
        File.Move(Path, Path + ".old");
        Append(Lines(14, 3));
        await LookAsync();
        await LookAsync();

        Assert.Equal(Enumerable.Range(1, 16).Select(step => (long)step), Reported);
    }

    [Fact]
    public async Task Look_WhileTheOperatorIsAway_KeepsThePosition()
    {
        Append(Lines(1, 3));
        _isAway = true;
        await Assert.ThrowsAsync<HttpRequestException>(() => _tail.LookAsync(false));
        Restart();
        _isAway = false;
        Append(Lines(4, 1));
        await LookAsync();

        Assert.Equal([1, 2, 3, 4], Reported);
    }

    [Fact]
    public async Task Look_LinesThatAreNoProgress_AreNamedTenAMinute()
    {
        Append("{\"step\": 1}\nepoch 1\n" + string.Concat(Enumerable.Repeat("{\"step\": 0}\n", 20)) + "{\"step\": 2}\n");
        await LookAsync();

        Assert.Equal([1, 2], Reported);
        Assert.Equal(10, _log.Count);
        Assert.StartsWith("line 2 is skipped: this is no progress: ", _log[0], StringComparison.Ordinal);
        Assert.EndsWith("It begins: epoch 1", _log[0], StringComparison.Ordinal);
        Assert.StartsWith("line 3 is skipped: step: 0: must be at least 1", _log[1], StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(1));
        Append("again\n");
        await LookAsync();
        Assert.Equal("11 more lines were skipped", _log[10]);
        Assert.StartsWith("line 24 is skipped", _log[11], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_LineLongerThanAnyReport_IsSkipped()
    {
        Append(new string('x', 3_000_000) + "\n{\"step\": 1}\n");
        while (await _tail.LookAsync(false))
        {
        }

        Assert.Equal([1], Reported);
        Assert.All(_log, line => Assert.Contains("a report has at most 65536 bytes", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Look_SeveralLinesAtOnce_SpreadsThemOverTheTimeBetween()
    {
        Append(Lines(1, 1));
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(4));
        Append(Lines(2, 2) + "{\"step\": 13}\n{\"step\": 14, \"step_seconds\": 7}\n");
        await LookAsync();

        Assert.Equal([0, 1, 1, 0.1, 7], _steps.Select(step => step.Metrics["step_seconds"]));
        Assert.Equal(_time.GetUtcNow(), _steps[^1].Time);
    }

    private static string Lines(int first, int count) => string.Concat(Enumerable.Range(first, count).Select(step => $"{{\"step\": {step}, \"loss\": {step}}}\n"));

    private void Append(string text) => File.AppendAllText(Path, text);

    private Task<bool> LookAsync() => _tail.LookAsync(false);

    private void Restart()
    {
        _tail.Dispose();
        _tail = Start();
    }

    private ProgressTail Start() => new(Path, new ProgressSource("default", "job", "uid", 2, 0), ReportAsync, _time, _log.Add);

    private Task ReportAsync(EventBatch batch)
    {
        if (_isAway)
        {
            throw new HttpRequestException("the operator is away");
        }

        Assert.Equal(("default", "job", "uid", 2), (batch.Namespace, batch.Job, batch.JobUid, batch.Attempt));
        _steps.AddRange(batch.Steps);
        _checkpoints.AddRange(batch.Checkpoints);
        return Task.CompletedTask;
    }
}

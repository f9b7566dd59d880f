using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>The side channel between rank 0 and the others, on sockets.</summary>
public sealed class ControlTests : IDisposable
{
    private static readonly Report Late = new(1, CollectiveOperation.AllGather, null, IsError: false, [0, 1, 2], "no end within 60 s");
    private readonly FakeTimeProvider _time = new();
    private readonly ControlHub _hub;
    private readonly ControlSpoke[] _spokes;

    public ControlTests()
    {
        var options = new CollectiveOptions { Time = _time, Deadline = TimeSpan.FromSeconds(60) };
        var pairs = new[] { Pair(), Pair() };
        _hub = new ControlHub([null, .. pairs.Select(pair => pair.Hub)], options);
        _spokes = [.. pairs.Select((pair, i) => new ControlSpoke(i + 1, 3, pair.Spoke, options))];
    }

    public void Dispose()
    {
        foreach (var spoke in _spokes)
        {
            spoke.Leave(inOrder: false);
        }

        _hub.Leave(inOrder: false);
    }

    [Fact]
    public void Look_ReportOfOneRank_EveryRankGetsTheSameVerdict()
    {
        _hub.Publish(new RankStatus(3, true));
        _spokes[0].Publish(new RankStatus(3, true));
        _spokes[1].Publish(new RankStatus(2, false));
        _spokes[0].Tell(Late);

        var verdict = Until(_hub);

        Assert.Equal(2, verdict.MissingRank);
        Assert.All(_spokes, spoke => Assert.Equal(verdict, Until(spoke)));
    }

    [Fact]
    public void Look_SocketCloses_IsADeathThatTheOthersHearOf()
    {
        _spokes[1].Leave(inOrder: false);

        Assert.Equal(new Failure(2, null, "closed its connection (its process ended)"), Until(_hub));
        Assert.Equal(2, Until(_spokes[0]).MissingRank);
    }

    [Fact]
    public void Look_RankZerosSocketCloses_IsItsDeath()
    {
        _hub.Leave(inOrder: false);

        Assert.Equal(0, Until(_spokes[0]).MissingRank);
    }

    [Fact]
    public async Task Look_RankLeavesInOrder_IsNoDeathAndEveryRankKnows()
    {
        var leaving = Task.Run(() => _spokes[1].Leave(inOrder: true));

        Until(_hub, () => _hub.HasLeft(2));
        Until(_spokes[0], () => _spokes[0].HasLeft(2));
        await leaving;

        Assert.Null(_hub.Look());
        Assert.Null(_spokes[0].Look());
    }

    [Fact]
    public async Task Look_RankZeroLeavesInOrder_IsNoDeath()
    {
        var leaving = Task.Run(() => _hub.Leave(inOrder: true));

        Until(_spokes[0], () => _spokes[0].HasLeft(0));
        Until(_spokes[1], () => _spokes[1].HasLeft(0));
        await leaving;

        Assert.Null(_spokes[0].Look());
    }

    [Fact]
    public async Task Look_RankSaysNothingForLong_IsLost()
    {
        var leaving = Task.Run(() => _spokes[0].Leave(inOrder: true));
        Until(_hub, () => _hub.HasLeft(1));
        await leaving;
        _time.Advance(TimeSpan.FromSeconds(61));

        var verdict = Until(_hub);

        Assert.Equal((2, "has said nothing for 61 s (its node is lost, or its process is stopped)"), (verdict.MissingRank, verdict.Reason));
    }

    [Fact]
    public void Look_ErrorIsToldAndThenADeath_IsTheDeath()
    {
        _spokes[0].Tell(Late with { IsError = true, Text = "reported an error" });
        Assert.Null(_hub.Look());
        _spokes[1].Leave(inOrder: false);

        Assert.Equal(2, Until(_hub).MissingRank);
    }

    [Fact]
    public void Look_ErrorIsToldAlone_IsItAfterASecond()
    {
        _hub.Tell(Late with { Reporter = 0, IsError = true, Text = "reported an error" });
        Assert.Null(_hub.Look());
        _time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.Equal(new Failure(0, CollectiveOperation.AllGather, "reported an error"), _hub.Look());
    }

    [Fact]
    public void Look_RankZeroDoesNotAnswerAReport_IsNamed()
    {
        _spokes[0].Tell(Late);
        _time.Advance(TimeSpan.FromSeconds(6));

        var verdict = Until(_spokes[0]);

        Assert.Equal(0, verdict.MissingRank);
        Assert.Contains("did not answer rank 1", verdict.Reason, StringComparison.Ordinal);
    }

    private static Failure Until(IControl control)
    {
        Failure? verdict = null;
        Until(control, () => (verdict = control.Look()) is not null);
        return verdict!;
    }

    /// <summary>Looks until it is so; sockets of one machine need a moment.</summary>
    private static void Until(IControl control, Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(() => control.Look() is not null | condition(), TimeSpan.FromSeconds(30)));

    private static (ControlLink Hub, ControlLink Spoke) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var spoke = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        spoke.Connect(listener.LocalEndPoint!);
        return (new ControlLink(listener.Accept()), new ControlLink(spoke));
    }
}

namespace Phi.Collectives.Nccl.Control;

/// <summary>Rank 0's end: knows where every rank is, and finds the missing one.</summary>
internal sealed class ControlHub : IControl
{
    /// <summary>A broken connection is often told by its survivor before the death of the other end is.</summary>
    private static readonly TimeSpan ErrorPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);
    private const int FewestQuietLooks = 20;
    private readonly Peer[] _peers;
    private readonly CollectiveOptions _options;
    private readonly List<(Report Report, long At)> _reports = [];
    private Failure? _verdict;

    /// <param name="links">By rank; null at rank 0.</param>
    public ControlHub(IReadOnlyList<ControlLink?> links, CollectiveOptions options)
    {
        _options = options;
        var now = options.Time.GetTimestamp();
        _peers = [.. links.Select(link => new Peer { Link = link, HeardAt = now, ProgressAt = now })];
    }

    public bool HasLeft(int rank) => _peers[rank].HasLeft;

    public void Publish(RankStatus status) => See(_peers[0], status);

    public void Tell(Report report) => _reports.Add((report, _options.Time.GetTimestamp()));

    public Failure? Look()
    {
        if (_verdict is not null)
        {
            return _verdict;
        }

        for (var rank = 1; rank < _peers.Length; rank++)
        {
            Hear(rank);
        }

        _verdict = Gone() ?? Judge();
        if (_verdict is not null)
        {
            Broadcast(new ControlMessage(Verdict: _verdict));
        }

        return _verdict;
    }

    public void Leave(bool inOrder)
    {
        if (inOrder)
        {
            Broadcast(new ControlMessage(Left: 0));
        }

        foreach (var peer in _peers)
        {
            if (inOrder || _verdict is not null)
            {
                peer.Link?.Close(LeavePatience);
            }

            peer.Link?.Dispose();
        }
    }

    private void Hear(int rank)
    {
        var peer = _peers[rank];
        peer.Link!.Flush();
        peer.QuietLooks++;
        while (!peer.HasLeft && peer.Link.Receive() is { } message)
        {
            peer.QuietLooks = 0;
            peer.HeardAt = _options.Time.GetTimestamp();
            if (message.Status is { } status)
            {
                See(peer, status);
            }
            else if (message.Report is { } report)
            {
                Tell(report);
            }
            else if (message.Left is not null)
            {
                peer.HasLeft = true;
                peer.Status = peer.Status with { IsInside = false };
                peer.Link.Dispose();
                Broadcast(new ControlMessage(Left: rank));
            }
        }
    }

    private Failure? Gone()
    {
        var silence = _options.Deadline > ShortestSilence ? _options.Deadline : ShortestSilence;
        for (var rank = 1; rank < _peers.Length; rank++)
        {
            var peer = _peers[rank];
            if (peer.HasLeft)
            {
                continue;
            }

            if (!peer.Link!.IsOpen)
            {
                return new Failure(rank, null, "closed its connection (its process ended)");
            }

            var quiet = _options.Time.GetElapsedTime(peer.HeardAt);
            if (quiet > silence && peer.QuietLooks >= FewestQuietLooks)
            {
                return new Failure(rank, null, $"has said nothing for {quiet.TotalSeconds:0.#} s (its node is lost, or its process is stopped)");
            }
        }

        return null;
    }

    private Failure? Judge()
    {
        foreach (var (report, at) in _reports)
        {
            if (!report.IsError || _options.Time.GetElapsedTime(at) > ErrorPatience)
            {
                return Culprit.Find(report, [.. _peers.Select(peer => new RankSight(peer.Status.IsInside, peer.HasLeft, _options.Time.GetElapsedTime(peer.ProgressAt)))]);
            }
        }

        return null;
    }

    private void See(Peer peer, RankStatus status)
    {
        if (status != peer.Status)
        {
            peer.ProgressAt = _options.Time.GetTimestamp();
            peer.Status = status;
        }
    }

    private void Broadcast(ControlMessage message)
    {
        foreach (var peer in _peers)
        {
            if (peer.Link is { IsOpen: true } link)
            {
                link.Send(message);
            }
        }
    }

    private sealed class Peer
    {
        public required ControlLink? Link { get; init; }

        public required long HeardAt { get; set; }

        public required long ProgressAt { get; set; }

        public int QuietLooks { get; set; }

        public RankStatus Status { get; set; } = new(0, false);

        public bool HasLeft { get; set; }
    }
}

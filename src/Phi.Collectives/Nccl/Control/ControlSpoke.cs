namespace Phi.Collectives.Nccl.Control;

/// <summary>The end of every rank but 0.</summary>
internal sealed class ControlSpoke(int rank, int worldSize, ControlLink link, CollectiveOptions options) : IControl
{
    private const int FewestLooks = 20;
    private const int LooksBetweenSignsOfLife = 10;
    private static readonly TimeSpan VerdictPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);
    private readonly bool[] _left = new bool[worldSize];
    private RankStatus? _published;
    private int _publishedAgo;
    private Report? _told;
    private long _toldAt;
    private int _looksSinceTold;
    private Failure? _verdict;

    public bool HasLeft(int rank) => _left[rank];

    public void Publish(RankStatus status)
    {
        if (status == _published && ++_publishedAgo < LooksBetweenSignsOfLife)
        {
            return;
        }

        _published = status;
        _publishedAgo = 0;
        link.Send(new ControlMessage(Status: status));
    }

    public void Tell(Report report)
    {
        link.Send(new ControlMessage(Report: report));
        if (_told is null)
        {
            _told = report;
            _toldAt = options.Time.GetTimestamp();
        }
    }

    public Failure? Look()
    {
        if (_verdict is not null)
        {
            return _verdict;
        }

        link.Flush();
        while (_verdict is null && link.Receive() is { } message)
        {
            _verdict = message.Verdict;
            if (message.Left is { } left)
            {
                _left[left] = true;
            }
        }

        if (_verdict is null && !_left[0] && !link.IsOpen)
        {
            _verdict = new Failure(0, null, "closed its connection (its process ended)");
        }

        if (_verdict is null && _told is not null && ++_looksSinceTold >= FewestLooks && options.Time.GetElapsedTime(_toldAt) > VerdictPatience)
        {
            // A rank 0 that answered would have given its verdict by now.
            _verdict = _told.Suspect is { } suspect ? new Failure(suspect, _told.Operation, _told.Text) : new Failure(0, _told.Operation, $"did not answer rank {rank}, which reported: {_told.Text}");
        }

        if (_verdict is not null || _left[0])
        {
            // Rank 0 waits for this before it goes.
            link.Dispose();
        }

        return _verdict;
    }

    public void Leave(bool inOrder)
    {
        if (inOrder && !_left[0])
        {
            link.Send(new ControlMessage(Left: rank));
            link.Close(LeavePatience);
        }

        link.Dispose();
    }
}

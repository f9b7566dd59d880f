using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>Whom a stuck collective is blamed on.</summary>
public sealed class CulpritTests
{
    [Fact]
    public void Find_OneMemberIsOutside_IsIt() => Assert.Equal(2, Find(Late(0, 0, 1, 2), Inside(5), Inside(5), Outside(9), Outside(90)).MissingRank);

    [Fact]
    public void Find_SeveralMembersAreOutside_IsTheOneWithoutProgressForLongest() => Assert.Equal(2, Find(Late(0, 0, 1, 2), Inside(9), Outside(1), Outside(8)).MissingRank);

    [Fact]
    public void Find_EveryMemberIsInside_IsTheRankOutsideElsewhere() => Assert.Equal(3, Find(Late(0, 0, 1), Inside(9), Inside(9), Inside(9), Outside(2)).MissingRank);

    [Fact]
    public void Find_EveryRankIsInside_IsTheMemberWithoutProgressForLongestAndSaysTheNetwork()
    {
        var failure = Find(Late(0, 0, 1, 2), Inside(9), Inside(3), Inside(4));

        Assert.Equal(2, failure.MissingRank);
        Assert.Contains("the network between them may be broken", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_RankIsAlone_IsItself() => Assert.Equal(0, Find(Late(0, 0), Inside(9)).MissingRank);

    [Fact]
    public void Find_Error_IsTheRankThatToldIt() => Assert.Equal(1, Find(new Report(1, CollectiveOperation.AllGather, null, IsError: true, [0, 1], "broke"), Outside(9), Inside(1)).MissingRank);

    [Fact]
    public void Find_SuspectIsKnown_IsIt() => Assert.Equal(2, Find(new Report(1, CollectiveOperation.AllGather, 2, IsError: false, [1, 2], "left"), Outside(9), Inside(1), Outside(0)).MissingRank);

    private static Report Late(int reporter, params int[] members) => new(reporter, CollectiveOperation.AllGather, null, IsError: false, members, "no end within 60 s");

    private static Failure Find(Report report, params RankSight[] ranks) => Culprit.Find(report, ranks);

    private static RankSight Inside(int seconds) => new(true, false, TimeSpan.FromSeconds(seconds));

    private static RankSight Outside(int seconds) => new(false, false, TimeSpan.FromSeconds(seconds));
}

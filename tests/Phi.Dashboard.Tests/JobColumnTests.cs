using Phi.Api.TrainingJobs;
using Phi.Dashboard.Components.Pages;

namespace Phi.Dashboard.Tests;

public sealed class JobColumnTests
{
    private static readonly TrainingJob[] Jobs = [Job("b", 3), Job("a", null), Job("c", 1)];

    [Theory]
    [InlineData("name", false, "a b c")]
    [InlineData("name", true, "c b a")]
    [InlineData("loss", false, "c b a")]
    [InlineData("loss", true, "b c a")]
    [InlineData("unknown", true, "b a c")]
    public void Sort_ByAColumn_PutsWhatHasNoValueLast(string column, bool isDescending, string expected) =>
        Assert.Equal(expected, string.Join(' ', JobColumn.Find(column).Sort(Jobs, isDescending).Select(job => job.Metadata.Name)));

    private static TrainingJob Job(string name, double? loss) => new() { Metadata = new() { Namespace = "default", Name = name }, Status = new() { Progress = new() { Loss = loss } } };
}

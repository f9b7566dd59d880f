using System.Globalization;
using Phi.Cli.Completion;

namespace Phi.Cli.Tests;

/// <summary>What a shell is told to propose, where no cluster is asked.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("su", "submit suspend :4")]
    [InlineData("queue ", "ls what-if :4")]
    [InlineData("queue w", "what-if :4")]
    [InlineData("get --o", "--output :4")]
    [InlineData("get -o ", "json name table wide yaml :4")]
    [InlineData("get -o j", "json :4")]
    [InlineData("get --output=y", "--output=yaml :4")]
    [InlineData("get --watch --output n", "name :4")]
    [InlineData("completion ", "bash fish zsh :4")]
    [InlineData("submit ", ":0")]
    [InlineData("submit job.yaml --dry-run ", "none server :4")]
    [InlineData("up --nodes ", ":4")]
    [InlineData("nonsense ", ":4")]
    public async Task Write_AStartedCommandLine_ProposesWhatFits(string line, string expected) => Assert.Equal(expected, await AnswerAsync(line));

    [Fact]
    public async Task Write_AtTheBeginning_ProposesEveryCommandThatHelpShows()
    {
        var answer = (await AnswerAsync("")).Split(' ');

        Assert.Contains("describe", answer);
        Assert.DoesNotContain("control-plane", answer);
        Assert.Equal(":4", answer[^1]);
    }

    [Theory]
    [InlineData("logs --kubeconfig /nowhere ")]
    [InlineData("get queues --kubeconfig /nowhere ")]
    [InlineData("cron run --kubeconfig=/nowhere ")]
    [InlineData("get --kubeconfig /nowhere -n ")]
    public async Task Write_NamesOfAClusterThatIsNotThere_AreNoneAndNoError(string line) => Assert.Equal(":4", await AnswerAsync(line));

    [Fact]
    public async Task Write_AContext_ProposesThoseOfTheKubeconfig()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "clusters: [{name: c, cluster: {server: 'https://a.example'}}]\ncontexts: [{name: east, context: {cluster: c}}, {name: west, context: {cluster: c}}]\ncurrent-context: east\n");

            Assert.Equal("west :4", await AnswerAsync($"get --kubeconfig {file} --context w"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void Read_AScript_CallsWhatAnswers(string shell) => Assert.Contains(CompletionScripts.Complete, CompletionScripts.Read(shell), StringComparison.Ordinal);

    private static async Task<string> AnswerAsync(string line)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await CompletionAnswer.WriteAsync(line.Split(' '), output);
        return output.ToString().Trim().Replace('\n', ' ');
    }
}

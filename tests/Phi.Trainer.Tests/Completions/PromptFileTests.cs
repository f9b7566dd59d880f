using System.Text;
using Phi.Data;
using Phi.Data.Tokenizers;
using Phi.Trainer.Completions;

namespace Phi.Trainer.Tests.Completions;

/// <summary>How a file of prompts is read, and what is said about one that is wrong.</summary>
public sealed class PromptFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_GoodFile_GivesEveryPrompt()
    {
        var prompts = Read("\uFEFF{\"id\": \"a\", \"prompt\": \"def é\", \"stop\": [\"\\ndef\", \"#\"], \"entry_point\": 3}\r\n\n{\"prompt\":\"x\",\"id\":\"b\",\"stop\":null}");

        Assert.Equal(["a", "b"], prompts.Select(prompt => prompt.Id));
        Assert.Equal(Encoding.UTF8.GetBytes("def é").Select(value => (int)value), prompts[0].Tokens);
        Assert.Equal(["\ndef", "#"], prompts[0].Stops);
        Assert.Empty(prompts[1].Stops);
    }

    [Theory]
    [InlineData("", "has no prompts")]
    [InlineData("\n \n", "has no prompts")]
    [InlineData("{", "line 1: it is no JSON object")]
    [InlineData("[1]", "it is no JSON object")]
    [InlineData("{\"prompt\": \"x\"}", "it has no id")]
    [InlineData("{\"id\": \"a\"}", "it has no prompt")]
    [InlineData("{\"id\": 3, \"prompt\": \"x\"}", "id is 3; it must be text, in quotes")]
    [InlineData("{\"id\": \"\", \"prompt\": \"x\"}", "id is empty")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"\"}", "the prompt of 'a' has no tokens")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"0123456789abcdef\"}", "the prompt of 'a' has 16 tokens, and must have fewer than the model's sequence length 16")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"\\ud800\"}", "half of a surrogate pair")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"x\", \"stop\": \"def\"}", "stop is no array")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"x\", \"stop\": [\"\"]}", "stop has an empty text")]
    [InlineData("{\"id\": \"a\", \"prompt\": \"x\", \"stop\": [1]}", "stop is 1; it must be text")]
    public void Read_WrongFile_SaysWhatIsWrong(string content, string expected) =>
        Assert.Contains(expected, Assert.Throws<DataException>(() => Read(content)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_ManyWrongLines_NamesEach()
    {
        var error = Assert.Throws<DataException>(() => Read("{\"id\": \"a\", \"prompt\": \"x\"}\n{}\n{\"id\": \"a\", \"prompt\": \"y\"}\nx\n"));

        Assert.All(["line 2: it has no id", "line 3: id 'a' is that of line 1 too", "line 4: it is no JSON object"], expected => Assert.Contains(expected, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_NoFile_NamesTheOption() =>
        Assert.Contains("--prompts '/nowhere/p' cannot be read", Assert.Throws<ArgumentException>(() => PromptFile.Read("/nowhere/p", new ByteTokenizer(), 16)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_PromptsThatAreCut_KeepTheirLastTokensWhereTheyAreTooLong()
    {
        File.WriteAllText(_path, "{\"id\": \"a\", \"prompt\": \"0123456789abcdef0123\"}\n{\"id\": \"b\", \"prompt\": \"01234567\"}\n");

        var prompts = PromptFile.Read(_path, new ByteTokenizer(), 16, most: 8);

        Assert.Equal([("cdef0123", true), ("01234567", false)], prompts.Select(prompt => (Encoding.ASCII.GetString([.. prompt.Tokens.Select(token => (byte)token)]), prompt.IsCut)));
        Assert.Equal("0123456789abcdef0123", prompts[0].Text);
    }

    [Theory]
    [InlineData(100, 16, 8)]
    [InlineData(4, 16, 12)]
    [InlineData(100, 1, 0)]
    public void PromptTokens_OfASequence_LeaveRoomForTheCompletionButKeepHalf(int maxTokens, int sequenceLength, int expected) =>
        Assert.Equal(expected, new CompleteOptions { MaxTokens = maxTokens }.PromptTokens(sequenceLength));

    private IReadOnlyList<Prompt> Read(string content)
    {
        File.WriteAllText(_path, content);
        return PromptFile.Read(_path, new ByteTokenizer(), 16);
    }
}

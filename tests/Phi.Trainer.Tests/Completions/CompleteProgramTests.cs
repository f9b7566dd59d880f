using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Weights;
using Phi.Data.Tokenizers;
using Phi.Trainer.Completions;
using Phi.Training.Generation;
using Phi.Training.Tests;

namespace Phi.Trainer.Tests.Completions;

/// <summary><c>phi-trainer complete</c> on a small model of bytes, whose text is noise, but always the same.</summary>
[Collection("torch")]
public sealed class CompleteProgramTests : IDisposable
{
    private static readonly ModelConfiguration Model = new() { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 48 };
    private readonly string _root = Directory.CreateTempSubdirectory("phi complete ").FullName;
    private readonly CompleteOptions _options;

    public CompleteProgramTests()
    {
        using var weights = new RandomWeights(Model, seed: 3);
        HuggingFaceExport.Write(weights, 0, Path.Combine(_root, "model"), WeightType.F32, HuggingFaceExport.DefaultShardBytes, null, CancellationToken.None);
        _options = new CompleteOptions { Prompts = In("prompts.jsonl"), Output = In("out.jsonl"), HuggingFace = In("model"), Samples = 3, MaxTokens = 20, Sampling = new SamplingOptions { Temperature = 1, TopK = 0, Seed = 5 } };
        WritePrompts();
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Run_AnyBatchSizeFromFolderOrCheckpoint_GivesTheSameCompletions()
    {
        using (var weights = HuggingFaceWeights.Open(In("model")))
        {
            HuggingFaceImport.Write(weights, In("checkpoints"), new ImportOptions { Shards = 2, Seed = 5 }, TimeProvider.System, null, CancellationToken.None);
        }

        var one = Completions(_options with { BatchSize = 1, Output = In("one.jsonl") });
        var many = Completions(_options with { BatchSize = 50, Output = In("many.jsonl") });
        var fromCheckpoint = Completions(_options with { BatchSize = 4, Output = In("checkpoint.jsonl"), HuggingFace = null, Checkpoint = In("checkpoints") });

        Assert.Equal(12, one.Count);
        Assert.Equal(12, one.DistinctBy(completion => completion.Text).Count());
        Assert.Equal(one, many);
        Assert.Equal(one, fromCheckpoint);
        Assert.Contains(one, completion => completion.Id == "long" && completion is { Finish: Completion.Length, Tokens: 4 });
    }

    [Fact]
    public void Run_EachCompletion_IsWhatOneTextAloneGives()
    {
        var completions = Completions(_options with { Samples = 2 });

        using var weights = HuggingFaceWeights.Open(In("model"));
        using var generator = new TextGenerator(weights);
        foreach (var (prompt, sample) in PromptFile.Read(In("prompts.jsonl"), new ByteTokenizer(), 48).SelectMany(prompt => new[] { (prompt, 0), (prompt, 1) }))
        {
            var text = new CompletionText(new ByteTokenizer(), prompt.Stops);
            var (tokens, isStopped) = (0, false);
            foreach (var token in generator.Continue(prompt.Tokens, 257, _options.Sampling with { Seed = (long)CompletionRun.Stream(5, prompt.Id, sample) }).Take(Math.Min(20, 48 - prompt.Tokens.Count)))
            {
                isStopped = token == 256 || text.Add(token);
                tokens += token == 256 ? 0 : 1;
                if (isStopped)
                {
                    break;
                }
            }

            Assert.Contains(new Completion(prompt.Id, sample, text.ToString(), tokens, isStopped ? Completion.Stop : Completion.Length), completions);
        }
    }

    [Fact]
    public void Run_StopThatAppears_EndsTheCompletionBeforeIt()
    {
        var (whole, at) = Completions(_options).SelectMany(completion => Enumerable.Range(0, Math.Max(0, completion.Text.Length - 1)).Select(at => (completion, at)))
            .First(place => place.at > 0 && char.IsAscii(place.completion.Text[place.at]) && char.IsAscii(place.completion.Text[place.at + 1]));
        var stop = whole.Text[at..(at + 2)];
        WritePrompts(stop);

        var stopped = Completions(_options with { Output = In("stopped.jsonl") }).Single(completion => (completion.Id, completion.Sample) == (whole.Id, whole.Sample));

        Assert.Equal((whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], Completion.Stop), (stopped.Text, stopped.Finish));
    }

    [Fact]
    public void Run_OutputOfAnEarlierRun_IsContinued()
    {
        var expected = Completions(_options with { Output = In("whole.jsonl") });
        Completions(_options with { Samples = 2 });
        var lines = File.ReadAllLines(In("out.jsonl"));
        // Three are there, and half of a fourth.
        File.WriteAllText(In("out.jsonl"), string.Join('\n', lines[..3]) + "\n" + lines[3][..10]);

        Assert.Equal(expected, Completions(_options with { BatchSize = 2 }));
        Assert.Equal(lines[..3], File.ReadAllLines(In("out.jsonl"))[..3]);
        var written = File.GetLastWriteTimeUtc(In("out.jsonl"));
        Assert.Equal(expected, Completions(_options));
        Assert.Equal(written, File.GetLastWriteTimeUtc(In("out.jsonl")));
    }

    [Fact]
    public void Run_OutputOfOtherSettings_IsRefusedAndKept()
    {
        Completions(_options);
        var lines = File.ReadAllText(In("out.jsonl"));

        Refused(_options with { Sampling = _options.Sampling with { Temperature = 0.5, Seed = 6 }, MaxTokens = 21 }, "--temperature 1, not 0.5; --seed 5, not 6; --max-tokens 20, not 21");
        WritePrompts("#");
        Refused(_options, "other prompts or stops");
        WritePrompts();
        using (var weights = new RandomWeights(Model, seed: 4))
        {
            HuggingFaceExport.Write(weights, 0, In("other"), WeightType.F32, HuggingFaceExport.DefaultShardBytes, null, CancellationToken.None);
        }

        Refused(_options with { HuggingFace = In("other") }, $"the weights of '{In("model")}', not those of '{In("other")}'");
        File.AppendAllText(In("out.jsonl"), lines.Split('\n')[0] + "\n");
        Refused(_options, "out.jsonl, line 13: it is no completion of a prompt, or one that an earlier line has");
        File.WriteAllText(In("out.jsonl"), lines);
        File.Delete(In("out.jsonl.settings.json"));
        Refused(_options, "which says what they were made with, cannot be read");
        Assert.Equal(lines, File.ReadAllText(In("out.jsonl")));

        void Refused(CompleteOptions options, string expected) => Assert.Contains(expected, Run(options, 7), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhatCannotBe_SaysWhy()
    {
        Assert.Contains("--output '/nowhere/out' cannot be written", Run(_options with { Output = "/nowhere/out" }, 2), StringComparison.Ordinal);
        Assert.Contains("device cuda:0 needs a libtorch that computes on GPUs", Run(_options with { Device = "cuda" }, 2), StringComparison.Ordinal);
        File.WriteAllText(In("prompts.jsonl"), "");
        Assert.Contains("has no prompts", Run(_options, 7), StringComparison.Ordinal);
        var errors = Run(new CompleteOptions { Samples = 0, MaxTokens = -1, BatchSize = 0, Device = "tpu", Sampling = new SamplingOptions { TopP = 0 } }, 2);
        Assert.All(["--prompts", "--output", "--checkpoint", "--samples 0", "--max-tokens -1", "--batch-size 0", "device 'tpu'", "--top-p 0"], expected => Assert.Contains(expected, errors, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Complete_Stopped_KeepsWhatIsDoneAndGoesOn(string signal)
    {
        string[] arguments = ["complete", "--prompts", In("prompts.jsonl"), "--output", In("out.jsonl"), "--from-hf", In("model"), "--samples", "20000", "--max-tokens", "5", "--batch-size", "3", "--seed", "5"];
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "phi-trainer"), arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!File.Exists(In("out.jsonl")) || new FileInfo(In("out.jsonl")).Length == 0)
        {
            Assert.False(process.HasExited);
            await Task.Yield();
        }

        using (var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(130, process.ExitCode);
        Assert.Contains("run the same command again to go on", await error, StringComparison.Ordinal);
        var kept = Read(In("out.jsonl"));
        Assert.NotEmpty(kept);
        Assert.Superset(kept.ToHashSet(), Completions(_options with { Samples = 1, MaxTokens = 5, Sampling = new SamplingOptions { Seed = 5 } }).ToHashSet());
    }

    private string In(string name) => Path.Combine(_root, name);

    /// <summary>Four prompts, one with room for four tokens.</summary>
    private void WritePrompts(params string[] stops)
    {
        (string, string)[] prompts = [("short", "a"), ("é", "def naïve("), ("long", new string('x', 44)), ("other", "print(1)\n")];
        File.WriteAllLines(In("prompts.jsonl"), prompts.Select(prompt => JsonSerializer.Serialize(new { id = prompt.Item1, prompt = prompt.Item2, stop = stops })));
    }

    private static List<Completion> Completions(CompleteOptions options)
    {
        Assert.Equal("", Run(options, 0));
        return Read(options.Output!);
    }

    private static List<Completion> Read(string path) => [.. File.ReadAllLines(path).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        Assert.Equal(["id", "sample", "completion", "tokens", "finish"], root.EnumerateObject().Select(property => property.Name));
        return new Completion(root.GetProperty("id").GetString()!, root.GetProperty("sample").GetInt32(), root.GetProperty("completion").GetString()!, root.GetProperty("tokens").GetInt32(), root.GetProperty("finish").GetString()!);
    }).OrderBy(completion => completion.Id, StringComparer.Ordinal).ThenBy(completion => completion.Sample)];

    /// <summary>What was said of errors.</summary>
    private static string Run(CompleteOptions options, int code)
    {
        using var error = new StringWriter();
        var ended = CompleteProgram.Run(options, TextWriter.Null, error);
        Assert.True(ended == code, $"{ended}: {error}");
        return error.ToString();
    }
}

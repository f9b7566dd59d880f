using Phi.Checkpoints;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;
using Phi.Data;
using Phi.Trainer.Sampling;
using Phi.Training.Generation;

namespace Phi.Trainer.Completions;

/// <summary><c>phi-trainer complete</c>. What a completion is depends on its prompt, the sample and the settings, and on nothing else.</summary>
internal static class CompleteProgram
{
    /// <summary>The exit code is one of <c>phi</c>'s.</summary>
    public static int Run(CompleteOptions options, TextWriter progress, TextWriter error)
    {
        try
        {
            options.Validate();
            using var stop = new StopSignal();
            using var model = TrainedModel.Open(options.Checkpoint, options.HuggingFace);
            var length = model.Weights.Model.SequenceLength;
            var prompts = PromptFile.Read(options.Prompts!, model.Tokenizer.Tokenizer, length, options.CutsPrompts ? options.PromptTokens(length) : null);
            if (prompts.Count(prompt => prompt.IsCut) is > 0 and var cut)
            {
                progress.WriteLine($"{cut} of {prompts.Count} prompts are too long for the model's sequences of {length} tokens: their last {options.PromptTokens(length)} tokens are completed");
            }

            using var output = CompletionFile.Open(options.Output!);
            return Complete(options, model, prompts, output, progress, stop.Token) ? 0 : SampleProgram.Interrupted;
        }
        catch (ArgumentException e)
        {
            return Fail(error, e.Message, SampleProgram.Usage);
        }
        catch (Exception e) when (e is CheckpointException or StorageException or DataException or ModelFolderException or InvalidOperationException)
        {
            return Fail(error, e.Message, SampleProgram.BadModel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(error, $"--output '{options.Output}' cannot be written: {e.Message} What is there is kept; run the same command again to go on.", SampleProgram.BadModel);
        }
    }

    /// <summary>False if it was stopped before the end.</summary>
    private static bool Complete(CompleteOptions options, TrainedModel model, IReadOnlyList<Prompt> prompts, CompletionFile output, TextWriter log, CancellationToken stop)
    {
        var slots = (int)Math.Min(options.BatchSize, (long)prompts.Count * options.Samples);
        using var weights = new DigestedWeights(model.Weights);
        using var forward = GenerationDevice.Parse(options.Device).Load(weights, slots);
        var done = output.Continue(CompletionSettings.Of(options, weights.Location, weights.Digest, model.Tokenizer.Digest, prompts), prompts);

        var counts = done.Where(pair => pair.Sample < options.Samples).CountBy(pair => pair.Id).ToDictionary(StringComparer.Ordinal);
        var progress = new CompletionProgress(options.Samples, counts, prompts.Count, log, TimeProvider.System);
        progress.Print();
        var missing = prompts.SelectMany(prompt => Enumerable.Range(0, options.Samples).Select(sample => (prompt, sample))).Where(pair => !done.Contains((pair.prompt.Id, pair.sample)));
        var tokenizer = model.Tokenizer.Tokenizer;
        var isDone = new CompletionRun(options, tokenizer, new TokenBatch(forward, tokenizer.VocabularySize, options.Sampling), output, progress).Run(missing, stop);
        progress.Print();
        if (!isDone)
        {
            log.WriteLine($"stopped; what is done is in '{options.Output}': run the same command again to go on");
        }

        return isDone;
    }

    private static int Fail(TextWriter error, string message, int code)
    {
        error.WriteLine(message);
        return code;
    }
}

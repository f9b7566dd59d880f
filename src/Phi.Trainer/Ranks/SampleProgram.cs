using System.Runtime.InteropServices;
using System.Text;
using Phi.Checkpoints;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;
using Phi.Data;
using Phi.Data.Tokenizers;
using Phi.Training.Generation;

namespace Phi.Trainer.Ranks;

/// <summary>Prints text from a trained model, as it is generated.</summary>
internal static class SampleProgram
{
    internal const int Usage = 2;
    private const int BadModel = 7;
    private const int Interrupted = 130;

    /// <summary>The exit code is one of <c>phi</c>'s, which starts this.</summary>
    public static int Run(SampleOptions options, TextWriter output)
    {
        try
        {
            options.Validate();
            var prompt = options.ReadPrompt();
            using var stop = new CancellationTokenSource();
            using var interrupt = StopOn(PosixSignal.SIGINT, stop);
            using var terminate = StopOn(PosixSignal.SIGTERM, stop);
            using var weights = Open(options);
            return Print(weights, prompt, options, output, stop.Token) ? 0 : Interrupted;
        }
        catch (ArgumentException e)
        {
            return Fail(e, Usage);
        }
        catch (Exception e) when (e is CheckpointException or StorageException or DataException or ModelFolderException or InvalidOperationException)
        {
            return Fail(e, BadModel);
        }
    }

    /// <summary>The first such signal ends the text, a second one the process.</summary>
    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop)
    {
        var seen = 0;
        return PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = Interlocked.Exchange(ref seen, 1) == 0;
            stop.Cancel();
        });
    }

    private static IModelWeights Open(SampleOptions options)
    {
        if (options.HuggingFace is { } folder)
        {
            return HuggingFaceWeights.Open(folder);
        }

        var (store, manifest) = CheckpointLocation.Find(options.Checkpoint!, (step, problem) => Console.Error.WriteLine($"checkpoint of step {step} is not used: {problem.Message}"));
        return new CheckpointWeights(store, manifest);
    }

    /// <summary>False if it was stopped before the end.</summary>
    private static bool Print(IModelWeights weights, byte[] prompt, SampleOptions options, TextWriter output, CancellationToken stop)
    {
        var tokenizer = TokenizerOf(weights);
        var tokens = new List<int>();
        tokenizer.Encode(prompt, tokens);
        if (tokens.Count == 0)
        {
            // As after the end of another document.
            tokens.Add(tokenizer.EndOfText);
        }

        using var generator = new TextGenerator(weights);
        // A character may be spread over several tokens: the decoder keeps its first bytes.
        var decoder = Encoding.UTF8.GetDecoder();
        Write(prompt, flush: false);
        var bytes = new List<byte>();
        foreach (var token in generator.Continue(tokens, tokenizer.VocabularySize, options.Sampling).Take(options.Tokens).TakeWhile(token => token != tokenizer.EndOfText && !stop.IsCancellationRequested))
        {
            bytes.Clear();
            tokenizer.Decode([token], bytes);
            Write([.. bytes], flush: false);
        }

        Write([], flush: true);
        output.WriteLine();
        output.Flush();
        return !stop.IsCancellationRequested;

        void Write(byte[] part, bool flush)
        {
            var characters = new char[Encoding.UTF8.GetMaxCharCount(part.Length)];
            output.Write(characters.AsSpan(0, decoder.GetChars(part, characters, flush)));
            output.Flush();
        }
    }

    /// <summary>The tokenizer that the model was trained with.</summary>
    private static ITokenizer TokenizerOf(IModelWeights weights)
    {
        var files = TokenizerFiles.TryRead(weights.Location, weights.TryReadFile);
        if (files is null && weights.Model.VocabularySize != TokenizerFiles.Bytes.Tokenizer.VocabularySize)
        {
            throw new CheckpointException($"'{weights.Location}' has no vocab.json and merges.txt (tokenizer.json alone is not read); put them there");
        }

        var tokenizer = (files ?? TokenizerFiles.Bytes).Tokenizer;
        return tokenizer.VocabularySize <= weights.Model.VocabularySize
            ? tokenizer
            : throw new CheckpointException($"the tokenizer in '{weights.Location}' has {tokenizer.VocabularySize} tokens and the model a vocabulary of {weights.Model.VocabularySize}; put the files of the tokenizer that it was trained with beside it");
    }

    private static int Fail(Exception error, int code)
    {
        Console.Error.WriteLine(error.Message);
        return code;
    }
}

using System.Text;
using Phi.Checkpoints;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;
using Phi.Data;
using Phi.Training.Generation;

namespace Phi.Trainer.Sampling;

/// <summary>Prints text from a trained model, as it is generated.</summary>
internal static class SampleProgram
{
    internal const int Usage = 2;
    internal const int BadModel = 7;
    internal const int Interrupted = 130;

    /// <summary>The exit code is one of <c>phi</c>'s, which starts this.</summary>
    public static int Run(SampleOptions options, TextWriter output)
    {
        try
        {
            options.Validate();
            var prompt = options.ReadPrompt();
            using var stop = new StopSignal();
            using var model = TrainedModel.Open(options.Checkpoint, options.HuggingFace);
            return Print(model, prompt, options, output, stop.Token) ? 0 : Interrupted;
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

    /// <summary>False if it was stopped before the end.</summary>
    private static bool Print(TrainedModel model, byte[] prompt, SampleOptions options, TextWriter output, CancellationToken stop)
    {
        var tokenizer = model.Tokenizer.Tokenizer;
        var tokens = new List<int>();
        tokenizer.Encode(prompt, tokens);
        if (tokens.Count == 0)
        {
            // As after the end of another document.
            tokens.Add(tokenizer.EndOfText);
        }

        using var generator = new TextGenerator(model.Weights);
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

    private static int Fail(Exception error, int code)
    {
        Console.Error.WriteLine(error.Message);
        return code;
    }
}

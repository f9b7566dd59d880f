using Phi.Checkpoints;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;
using Phi.Data.Tokenizers;

namespace Phi.Trainer.Sampling;

/// <summary>A model that text is generated from, with the tokenizer that it was trained with.</summary>
internal sealed class TrainedModel : IDisposable
{
    private TrainedModel(IModelWeights weights, TokenizerFiles tokenizer) => (Weights, Tokenizer) = (weights, tokenizer);

    public IModelWeights Weights { get; }

    public TokenizerFiles Tokenizer { get; }

    /// <summary>Adds what is wrong with <c>--checkpoint</c> and <c>--from-hf</c>.</summary>
    public static void Validate(string? checkpoint, string? huggingFace, List<string> errors)
    {
        if (checkpoint is null == huggingFace is null)
        {
            errors.Add("name what to sample from: either --checkpoint or --from-hf");
        }
    }

    /// <param name="checkpoint">A checkpoint's folder, or the root of several; null if a folder of transformers' is named.</param>
    /// <exception cref="CheckpointException">There is no good checkpoint, or no tokenizer that fits it.</exception>
    public static TrainedModel Open(string? checkpoint, string? huggingFace)
    {
        var weights = OpenWeights(checkpoint, huggingFace);
        TrainedModel? opened = null;
        try
        {
            return opened = new TrainedModel(weights, TokenizerOf(weights));
        }
        finally
        {
            if (opened is null)
            {
                weights.Dispose();
            }
        }
    }

    public void Dispose() => Weights.Dispose();

    private static IModelWeights OpenWeights(string? checkpoint, string? huggingFace)
    {
        if (huggingFace is not null)
        {
            return HuggingFaceWeights.Open(huggingFace);
        }

        var (store, manifest) = CheckpointLocation.Find(checkpoint!, (step, problem) => Console.Error.WriteLine($"checkpoint of step {step} is not used: {problem.Message}"));
        return new CheckpointWeights(store, manifest);
    }

    private static TokenizerFiles TokenizerOf(IModelWeights weights)
    {
        var files = TokenizerFiles.TryRead(weights.Location, weights.TryReadFile);
        if (files is null && weights.Model.VocabularySize != TokenizerFiles.Bytes.Tokenizer.VocabularySize)
        {
            throw new CheckpointException($"'{weights.Location}' has no vocab.json and merges.txt (tokenizer.json alone is not read); put them there");
        }

        files ??= TokenizerFiles.Bytes;
        return files.Tokenizer.VocabularySize <= weights.Model.VocabularySize
            ? files
            : throw new CheckpointException($"the tokenizer in '{weights.Location}' has {files.Tokenizer.VocabularySize} tokens and the model a vocabulary of {weights.Model.VocabularySize}; put the files of the tokenizer that it was trained with beside it");
    }
}

using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Data;
using Phi.Data.Tokenizers;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>What a checkpoint and the job that continues it must have in common; ranks, zero block and batches are not part of it.</summary>
/// <param name="Data">Digest of the tokens to train on; see <see cref="CheckpointManifest.Data"/>.</param>
internal sealed record CheckpointMatch(TrainingConfiguration Configuration, TokenizerFiles Tokenizer, string Data)
{
    private const string SequenceLength = "sequenceLength";

    /// <summary>What else than making them the same helps, as errors say it.</summary>
    public string Otherwise { get; init; } = "save to another folder";

    /// <param name="store">Null for copies in memory, which have no tokenizer beside them: it is the run's own, and the data's digest is of its tokens.</param>
    /// <exception cref="CheckpointException">The model, the seed, the tokenizer or the data are others.</exception>
    public void Check(CheckpointManifest manifest, CheckpointStore? store)
    {
        CheckModel(manifest, (_, value, wanted) => value == wanted);
        CheckSeed(manifest);
        if (store is not null)
        {
            CheckTokenizer(manifest.Step, store);
        }

        CheckData(manifest);
    }

    /// <summary>Weights alone fit whatever they are trained on next: data and seed are free, and sequences may be shorter.</summary>
    /// <exception cref="CheckpointException">The model or the tokenizer is another.</exception>
    public void CheckWeights(CheckpointManifest manifest, CheckpointStore store)
    {
        CheckModel(manifest, (name, value, wanted) => name == SequenceLength ? wanted <= value : value == wanted);
        CheckTokenizer(manifest.Step, store);
    }

    private void CheckModel(CheckpointManifest manifest, Func<string, int, int, bool> fits)
    {
        var mine = Configuration.Model.ToDimensions();
        foreach (var (name, value) in manifest.Model)
        {
            if (mine.TryGetValue(name, out var wanted) && !fits(name, value, wanted))
            {
                throw new CheckpointException($"checkpoint of step {manifest.Step} has model.{name} {value} and this job {wanted}; keep the model, or {Otherwise}");
            }
        }
    }

    private void CheckSeed(CheckpointManifest manifest)
    {
        if (manifest.Seed != Configuration.Seed)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} has seed {manifest.Seed} and this job {Configuration.Seed}; keep the seed, or {Otherwise}");
        }
    }

    private void CheckTokenizer(long step, CheckpointStore store)
    {
        try
        {
            // A checkpoint without one is of bytes, or an import from a folder whose tokenizer's files were of other kinds: the vocabulary tells which.
            var saved = TokenizerFiles.TryRead($"step {step}", name => store.TryReadFile(step, name)) ?? (Configuration.Model.VocabularySize == TokenizerFiles.Bytes.Tokenizer.VocabularySize ? TokenizerFiles.Bytes : null);
            if (saved is not null && saved.Digest != Tokenizer.Digest)
            {
                throw new CheckpointException($"checkpoint of step {step} was trained with another tokenizer ({saved.Kind}) than this job's ({Tokenizer.Kind}); keep the tokenizer, or {Otherwise}");
            }
        }
        catch (DataException e)
        {
            throw new CheckpointException($"checkpoint of step {step}: {e.Message}", e);
        }
    }

    private void CheckData(CheckpointManifest manifest)
    {
        if (manifest.Data is { } saved && saved != Data)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} was trained on data of the digest {Short(saved)} and data.sources make {Short(Data)}; restore the sources, or {Otherwise}");
        }

        static string Short(string digest) => digest[..Math.Min(16, digest.Length)];
    }
}

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
    /// <exception cref="CheckpointException">The model, the seed, the tokenizer or the data are others.</exception>
    public void Check(CheckpointManifest manifest, CheckpointStore store)
    {
        CheckModel(manifest);
        CheckTokenizer(manifest.Step, store);
        CheckData(manifest);
    }

    private void CheckModel(CheckpointManifest manifest)
    {
        var mine = Configuration.Model.ToDimensions();
        foreach (var (name, value) in manifest.Model)
        {
            if (mine.TryGetValue(name, out var wanted) && wanted != value)
            {
                throw new CheckpointException($"checkpoint of step {manifest.Step} has model.{name} {value} and this job {wanted}; keep the model, or save to another folder");
            }
        }

        if (manifest.Seed != Configuration.Seed)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} has seed {manifest.Seed} and this job {Configuration.Seed}; keep the seed, or save to another folder");
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
                throw new CheckpointException($"checkpoint of step {step} was trained with another tokenizer ({saved.Kind}) than this job's ({Tokenizer.Kind}); keep the tokenizer, or save to another folder");
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
            throw new CheckpointException($"checkpoint of step {manifest.Step} was trained on data of the digest {Short(saved)} and data.sources make {Short(Data)}; restore the sources, or save to another folder");
        }

        static string Short(string digest) => digest[..Math.Min(16, digest.Length)];
    }
}

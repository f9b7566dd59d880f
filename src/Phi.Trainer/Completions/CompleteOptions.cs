using Phi.Trainer.Sampling;
using Phi.Training.Generation;

namespace Phi.Trainer.Completions;

/// <summary>What <c>phi-trainer complete</c> is asked for.</summary>
internal sealed record CompleteOptions
{
    /// <summary>Each takes the memory of a sequence's keys and values.</summary>
    private const int LargestBatch = 1024;

    public string? Prompts { get; init; }

    public string? Output { get; init; }

    /// <summary>A checkpoint's folder, or the root of several; null if <see cref="HuggingFace"/> is given.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>A folder of transformers' PhiForCausalLM.</summary>
    public string? HuggingFace { get; init; }

    /// <summary>Completions of each prompt.</summary>
    public int Samples { get; init; } = 1;

    public int MaxTokens { get; init; } = 256;

    /// <summary>Completions that are generated at once.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>A prompt that leaves no room for a completion loses its begin; otherwise it is refused.</summary>
    public bool CutsPrompts { get; init; }

    public string Device { get; init; } = "cpu";

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Tokens of a prompt that is cut: the rest of the sequence, at most half, is the completion's.</summary>
    public int PromptTokens(int sequenceLength) => sequenceLength - Math.Min(MaxTokens, Math.Max(1, sequenceLength / 2));

    /// <exception cref="ArgumentException">Every value that cannot be.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        Check(!string.IsNullOrWhiteSpace(Prompts), "name the file of prompts: --prompts FILE.jsonl");
        Check(!string.IsNullOrWhiteSpace(Output), "name the file that gets the completions: --output FILE.jsonl");
        Check(string.IsNullOrWhiteSpace(Prompts) || string.IsNullOrWhiteSpace(Output) || Path.GetFullPath(Prompts) != Path.GetFullPath(Output), $"--prompts and --output are both '{Prompts}'; name another file for the completions");
        TrainedModel.Validate(Checkpoint, HuggingFace, errors);
        Check(Samples >= 1, $"--samples {Samples} must be at least 1");
        Check(MaxTokens >= 1, $"--max-tokens {MaxTokens} must be at least 1");
        Check(BatchSize is >= 1 and <= LargestBatch, $"--batch-size {BatchSize} must be from 1 to {LargestBatch}");
        Try(Sampling.Validate);
        Try(() => GenerationDevice.Parse(Device));
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("\n", errors));
        }

        void Check(bool good, string error)
        {
            if (!good)
            {
                errors.Add(error);
            }
        }

        void Try(Action check)
        {
            try
            {
                check();
            }
            catch (ArgumentException e)
            {
                errors.Add(e.Message);
            }
        }
    }
}

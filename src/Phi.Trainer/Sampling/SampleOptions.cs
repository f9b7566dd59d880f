using Phi.Training.Generation;

namespace Phi.Trainer.Sampling;

/// <summary>What <c>phi-trainer sample</c> is asked for.</summary>
internal sealed record SampleOptions
{
    /// <summary>A checkpoint's folder, or the root of several; null if <see cref="HuggingFace"/> is given.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>A folder of transformers' PhiForCausalLM.</summary>
    public string? HuggingFace { get; init; }

    public string? Prompt { get; init; }

    public string? PromptFile { get; init; }

    public int Tokens { get; init; } = 200;

    public SamplingOptions Sampling { get; init; } = new();

    /// <exception cref="ArgumentException">Every value that cannot be.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        TrainedModel.Validate(Checkpoint, HuggingFace, errors);
        if (Prompt is not null && PromptFile is not null)
        {
            errors.Add("--prompt and --prompt-file exclude each other; keep one");
        }

        if (Tokens < 1)
        {
            errors.Add($"--tokens {Tokens} must be at least 1");
        }

        try
        {
            Sampling.Validate();
        }
        catch (ArgumentException e)
        {
            errors.Add(e.Message);
        }

        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("\n", errors));
        }
    }

    /// <exception cref="ArgumentException">The prompt's file cannot be read.</exception>
    public byte[] ReadPrompt()
    {
        try
        {
            return PromptFile is null ? System.Text.Encoding.UTF8.GetBytes(Prompt ?? "def ") : File.ReadAllBytes(PromptFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"--prompt-file '{PromptFile}' cannot be read: {e.Message}", e);
        }
    }
}

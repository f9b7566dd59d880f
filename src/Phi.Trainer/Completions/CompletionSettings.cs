using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Phi.Training.Generation;

namespace Phi.Trainer.Completions;

/// <summary>
/// What completions depend on, as the file beside them has it. Neither the number of samples nor the batch size is of it: with more samples
/// the first ones stay as they are.
/// </summary>
internal sealed record CompletionSettings
{
    /// <summary>Where the model was; for people, and not compared.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 over every weight.</summary>
    public required string Weights { get; init; }

    public required string Tokenizer { get; init; }

    /// <summary>SHA-256 over ids, prompts and stops.</summary>
    public required string Prompts { get; init; }

    public required double Temperature { get; init; }
    public required int TopK { get; init; }
    public required double TopP { get; init; }
    public required long Seed { get; init; }
    public required int MaxTokens { get; init; }

    /// <summary>Whether long prompts lose their begin.</summary>
    public bool CutPrompts { get; init; }

    /// <summary>cpu or cuda: another kind of device rounds in another way.</summary>
    public required string Device { get; init; }

    public static string Digest(IEnumerable<Prompt> prompts) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(prompts.Select(prompt => new object[] { prompt.Id, prompt.Text, prompt.Stops }))));

    /// <summary>Each value that is another's, as a person would say it.</summary>
    public IEnumerable<string> DifferencesFrom(CompletionSettings other)
    {
        (string Name, object Own, object Others)[] values =
        [
            ("--temperature", Temperature, other.Temperature), ("--top-k", TopK, other.TopK), ("--top-p", TopP, other.TopP), ("--seed", Seed, other.Seed),
            ("--max-tokens", MaxTokens, other.MaxTokens), ("--cut-prompts", CutPrompts, other.CutPrompts), ("--device", Device, other.Device),
        ];
        foreach (var (name, own, others) in values.Where(value => !value.Own.Equals(value.Others)))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{name} {others}, not {own}");
        }

        if (Weights != other.Weights)
        {
            yield return $"the weights of '{other.Model}', not those of '{Model}'";
        }

        if (Tokenizer != other.Tokenizer)
        {
            yield return "another tokenizer";
        }

        if (Prompts != other.Prompts)
        {
            yield return "other prompts or stops";
        }
    }

    public static CompletionSettings Of(CompleteOptions options, string model, string weights, string tokenizer, IEnumerable<Prompt> prompts) => new()
    {
        Model = model,
        Weights = weights,
        Tokenizer = tokenizer,
        Prompts = Digest(prompts),
        Temperature = options.Sampling.Temperature,
        TopK = options.Sampling.TopK,
        TopP = options.Sampling.TopP,
        Seed = options.Sampling.Seed,
        MaxTokens = options.MaxTokens,
        CutPrompts = options.CutsPrompts,
        Device = GenerationDevice.Parse(options.Device).Gpu is null ? "cpu" : "cuda",
    };
}

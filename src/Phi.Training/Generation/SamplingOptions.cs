using System.Globalization;

namespace Phi.Training.Generation;

/// <summary>How the next token is chosen from the model's logits.</summary>
public sealed record SamplingOptions
{
    /// <summary>Logits are divided by it; 0 takes the likeliest token. Default 0.8.</summary>
    public double Temperature { get; init; } = 0.8;

    /// <summary>Only so many of the likeliest tokens; 0: all. Default 40.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Of these, the fewest likeliest whose probabilities sum to it (arXiv 1904.09751). Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <exception cref="ArgumentException">Every value that cannot be.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        Check("--temperature", Temperature, Temperature is >= 0 and <= 100, "from 0 to 100", "0 takes the likeliest token");
        Check("--top-k", TopK, TopK >= 0, "at least 0", "0 takes every token");
        Check("--top-p", TopP, TopP is > 0 and <= 1, "above 0 and at most 1", "1 takes every token");
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("\n", errors));
        }

        void Check(string name, double value, bool good, string rule, string remedy)
        {
            if (!good)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{name} {value} must be {rule}; {remedy}"));
            }
        }
    }
}

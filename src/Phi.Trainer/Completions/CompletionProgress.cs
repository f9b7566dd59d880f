using System.Globalization;

namespace Phi.Trainer.Completions;

/// <summary>Lines about how far it is: one when it begins, every few seconds and when it ends.</summary>
internal sealed class CompletionProgress(int samples, IReadOnlyDictionary<string, int> done, int prompts, TextWriter output, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private readonly Dictionary<string, int> _samplesDone = new(done, StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();
    private long _last = time.GetTimestamp();
    private long _tokens;
    private int _promptsDone = done.Count(prompt => prompt.Value >= samples);
    private int _completions = done.Sum(prompt => Math.Min(prompt.Value, samples));

    /// <summary>Tokens of this pass.</summary>
    public void Generated(int tokens)
    {
        _tokens += tokens;
        if (time.GetElapsedTime(_last) >= Every)
        {
            _last = time.GetTimestamp();
            Print();
        }
    }

    public void Completed(string id)
    {
        _samplesDone[id] = _samplesDone.GetValueOrDefault(id) + 1;
        _promptsDone += _samplesDone[id] == samples ? 1 : 0;
        _completions++;
    }

    public void Print() => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{_promptsDone} of {prompts} prompts done, {_completions} of {(long)prompts * samples} completions, {_tokens / Math.Max(time.GetElapsedTime(_started).TotalSeconds, 1e-3):F0} tokens/s"));
}

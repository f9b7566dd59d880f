using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Ranks;

/// <summary>
/// Rank 0's newest steps, kept with each checkpoint. An agent that dies takes with it what it had not told the operator yet; the attempt
/// that continues from the checkpoint tells it again, so that no committed step is missing from the curves.
/// </summary>
internal sealed class StepHistory
{
    public const string File = "steps.jsonl";

    /// <summary>More than are made while an agent is silent before it counts as lost.</summary>
    private const int Most = 2000;
    private readonly Queue<(int Attempt, StepEvent Step)> _steps = new();

    public void Add(int attempt, StepEvent step)
    {
        _steps.Enqueue((attempt, step));
        if (_steps.Count > Most)
        {
            _steps.Dequeue();
        }
    }

    /// <summary>What is there now, oldest first; later steps do not change it.</summary>
    public IReadOnlyList<(int Attempt, StepEvent Step)> Entries() => [.. _steps];

    /// <summary>A line of JSON for each step.</summary>
    public static byte[] Write(IReadOnlyList<(int Attempt, StepEvent Step)> steps)
    {
        using var bytes = new MemoryStream();
        foreach (var (attempt, step) in steps)
        {
            JsonSerializer.Serialize(bytes, new Entry(attempt, step), PhiJson.Options);
            bytes.WriteByte((byte)'\n');
        }

        return bytes.ToArray();
    }

    /// <summary>Takes up what an earlier attempt wrote; what cannot be read is left out, since training does not depend on it.</summary>
    /// <returns>What was taken up, oldest first.</returns>
    public IReadOnlyList<(int Attempt, StepEvent Step)> Read(ReadOnlySpan<byte> lines, long newest)
    {
        _steps.Clear();
        foreach (var range in lines.Split((byte)'\n'))
        {
            if (Parse(lines[range]) is { } entry && entry.Step.Step <= newest)
            {
                Add(entry.Attempt, entry.Step);
            }
        }

        return Entries();
    }

    private static Entry? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return line.IsEmpty ? null : JsonSerializer.Deserialize<Entry>(line, PhiJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Entry(int Attempt, StepEvent Step);
}

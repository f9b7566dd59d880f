namespace Phi.Evaluation.Suites;

/// <summary>Reads a stream to its end, or to a bound beyond which it is refused.</summary>
internal static class BoundedRead
{
    public static byte[] All(Stream from, int most, string name)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            Add(memory, buffer.AsSpan(0, read), most, name);
        }

        return memory.ToArray();
    }

    public static async Task<byte[]> AllAsync(Stream from, int most, string name, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            Add(memory, buffer.AsSpan(0, read), most, name);
        }

        return memory.ToArray();
    }

    private static void Add(MemoryStream to, ReadOnlySpan<byte> part, int most, string name)
    {
        if (to.Length + part.Length > most)
        {
            throw new EvaluationException($"{name} has more than {most >> 20} MiB, the most that is read. Name a smaller file.");
        }

        to.Write(part);
    }
}

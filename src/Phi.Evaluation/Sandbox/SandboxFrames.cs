using System.Buffers.Binary;
using System.Text;

namespace Phi.Evaluation.Sandbox;

/// <summary>What goes to the sandbox's process and comes from it: a length of four bytes, and so many bytes. <c>wire.py</c> is the other side.</summary>
internal static class SandboxFrames
{
    private const int Largest = 64 << 20;

    public static async Task WriteAsync(Stream to, IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var length = new byte[4];
        foreach (var text in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            all.Write(length);
            all.Write(bytes);
        }

        await to.WriteAsync(all.GetBuffer().AsMemory(0, (int)all.Length), cancellationToken);
        await to.FlushAsync(cancellationToken);
    }

    /// <summary>All frames until the end. What is cut off is left out.</summary>
    public static async Task<IReadOnlyList<byte[]>> ReadAsync(Stream from)
    {
        var frames = new List<byte[]>();
        var head = new byte[4];
        while (await from.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false) == 4 && BinaryPrimitives.ReadUInt32BigEndian(head) is <= Largest and var length)
        {
            var body = new byte[length];
            if (await from.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false) < body.Length)
            {
                break;
            }

            frames.Add(body);
        }

        return frames;
    }

    public static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}

using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Blobs whose every request waits for its turn.</summary>
/// <param name="isAnswerLost">Each conditional write arrives twice, as when the first one's answer is lost: the second one's counts.</param>
internal sealed class SteppedBlobs(MemoryBlobs blobs, Turns turns, bool isAnswerLost = false) : IFencedBlobs
{
    public FencedBlob? Read(string name) => Stepped(() => blobs.Read(name));

    public string? TryWrite(string name, ReadOnlyMemory<byte> content, bool isReservation, string? expected) => Stepped(() =>
    {
        var first = blobs.TryWrite(name, content, isReservation, expected);
        return isAnswerLost ? blobs.TryWrite(name, content, isReservation, expected) : first;
    });

    public void Write(string name, ReadOnlyMemory<byte> content) => Stepped(() =>
    {
        blobs.Write(name, content);
        return true;
    });

    public void TryDelete(string name, string expected) => Stepped(() =>
    {
        blobs.TryDelete(name, expected);
        return true;
    });

    public IReadOnlyList<(string Name, string Version)> Reservations() => Stepped(blobs.Reservations);

    private T Stepped<T>(Func<T> work)
    {
        turns.Take();
        return work();
    }
}

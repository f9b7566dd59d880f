using System.Globalization;
using Phi.Checkpoints.HuggingFace;

namespace Phi.Cli.Output;

/// <summary>Shows on standard error how far an export or import is: one line rewritten in place on a terminal, plain lines elsewhere.</summary>
internal sealed class TransferDisplay(TimeProvider time) : IProgress<TransferProgress>
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(200);
    private readonly bool _live = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
    private long? _lastShown;

    public void Report(TransferProgress value)
    {
        var isEnd = value.Bytes == value.TotalBytes;
        if (!isEnd && _lastShown is { } last && time.GetElapsedTime(last) < (_live ? LiveInterval : PlainInterval))
        {
            return;
        }

        _lastShown = time.GetTimestamp();
        var line = string.Create(CultureInfo.InvariantCulture, $"{value.Bytes / 1e6:N1} of {value.TotalBytes / 1e6:N1} MB written ({value.Bytes * 100 / value.TotalBytes} %)");
        Console.Error.Write(_live && !isEnd ? $"\r{line}" : _live ? $"\r{line}\n" : $"{line}\n");
    }
}

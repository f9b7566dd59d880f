namespace Phi.Cli.Commands;

/// <summary>Cancels when the parent process is gone: its end of standard input closes, however it died.</summary>
internal static class ParentWatch
{
    public static CancellationTokenSource Link(bool enabled, CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (enabled)
        {
            var watcher = new Thread(() =>
            {
                using var input = Console.OpenStandardInput();
                var buffer = new byte[64];
                while (input.Read(buffer) > 0)
                {
                    // Nothing is ever sent; only the end counts.
                }

                source.Cancel();
            })
            { IsBackground = true, Name = "parent watch" };
            watcher.Start();
        }

        return source;
    }
}
